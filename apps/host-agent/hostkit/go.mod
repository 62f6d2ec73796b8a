module wrenn.dev/hostkit

go 1.19

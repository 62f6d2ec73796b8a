module wrenn.dev/envd

go 1.19

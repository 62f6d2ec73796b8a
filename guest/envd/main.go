// envd is the agent inside a Wrenn sandbox. `envd init` is the guest's process 1,
// `envd serve` the server that it keeps running. README.md has the protocol.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"wrenn.dev/envd/internal/identity"
	"wrenn.dev/envd/internal/pid1"
	"wrenn.dev/envd/internal/process"
	"wrenn.dev/envd/internal/server"
)

const usage = "usage: envd init | envd serve [-listen ADDRESS]"

func main() {
	log.SetFlags(0)
	log.SetPrefix("envd: ")
	if len(os.Args) < 2 {
		log.Fatal(usage)
	}
	var err error
	switch command, args := os.Args[1], os.Args[2:]; command {
	case "init":
		err = runInit()
	case "serve":
		err = runServe(args)
	default:
		err = fmt.Errorf("unknown command %q\n%s", command, usage)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func runInit() error {
	return pid1.Run(pid1.Options{
		Console:  "/dev/console",
		Path:     "/proc/self/exe",
		Argv:     []string{"envd", "serve"},
		PowerOff: pid1.PowerOff,
		Grace:    2 * time.Second,
	})
}

func runServe(args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	listen := flags.String("listen", ":49983", "address to listen on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	// Caught, not ignored: children would inherit an ignored signal.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	syscall.Umask(0o022)
	guard, err := process.ProtectFromOOM()
	if err != nil {
		log.Printf("op=protect outcome=failed error=%q", err)
	}
	s, err := server.New(server.Options{
		System:  identity.Kernel{},
		Etc:     "/etc",
		Process: process.Options{OOM: guard},
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	log.Printf("op=listen address=%s", listener.Addr())
	return s.Serve(listener)
}

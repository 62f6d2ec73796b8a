// envd is the agent inside a Wrenn sandbox. `envd init` is the guest's process 1,
// `envd serve` the server that it keeps running. README.md has the protocol.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"wrenn.dev/envd/internal/freeze"
	"wrenn.dev/envd/internal/identity"
	"wrenn.dev/envd/internal/pid1"
	"wrenn.dev/envd/internal/process"
	"wrenn.dev/envd/internal/server"
)

const usage = "usage: envd init [-disk DESCRIPTOR] | envd serve [-listen ADDRESS] [-disk DESCRIPTOR]"

// serverDisk is the first descriptor after stdin, stdout and stderr.
const serverDisk = 3

func main() {
	log.SetFlags(0)
	log.SetPrefix("envd: ")
	if len(os.Args) < 2 {
		log.Fatal(usage)
	}
	var err error
	switch command, args := os.Args[1], os.Args[2:]; command {
	case "init":
		err = runInit(args)
	case "serve":
		err = runServe(args)
	default:
		err = fmt.Errorf("unknown command %q\n%s", command, usage)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func runInit(args []string) error {
	flags := flag.NewFlagSet("init", flag.ContinueOnError)
	disk := flags.Int("disk", -1, diskUsage)
	if err := flags.Parse(args); err != nil {
		return err
	}
	options := pid1.Options{
		Console:  "/dev/console",
		Path:     "/proc/self/exe",
		Argv:     []string{"envd", "serve"},
		PowerOff: pid1.PowerOff,
		Grace:    2 * time.Second,
	}
	if *disk >= 0 {
		options.Argv = append(options.Argv, "-disk", strconv.Itoa(serverDisk))
		options.Files = []uintptr{uintptr(*disk)}
	}
	return pid1.Run(options)
}

const diskUsage = "open folder on the filesystem that /quiesce freezes; none where the root is in memory"

// openDisk thaws: a server that died may have left its freeze behind.
func openDisk(fd int) (*freeze.Disk, error) {
	if fd < 0 {
		return freeze.New(freeze.Options{}), nil
	}
	mounted, err := freeze.Inherited(fd)
	if err != nil {
		return nil, err
	}
	disk := freeze.New(freeze.Options{Filesystem: mounted})
	if err := disk.Thaw(context.Background()); err != nil {
		log.Printf("op=thaw outcome=failed error=%q", err)
	}
	return disk, nil
}

func runServe(args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	listen := flags.String("listen", ":49983", "address to listen on")
	diskFd := flags.Int("disk", -1, diskUsage)
	if err := flags.Parse(args); err != nil {
		return err
	}
	disk, err := openDisk(*diskFd)
	if err != nil {
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
		Disk:    disk,
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

// Package pid1 is the guest's first process. It keeps `envd serve` running, reaps
// every orphan and powers the machine off. It does nothing else: what runs as
// process 1 must not fail.
package pid1

import (
	"errors"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Options are what differs between a guest and a test.
type Options struct {
	// Console is where both processes log; empty leaves stdout and stderr alone.
	Console string
	// Argv is the server's command line, found at Path.
	Path string
	Argv []string
	// Files are what the server gets as descriptors 3 and up.
	Files []uintptr
	// PowerOff ends the machine; it does not return.
	PowerOff func()
	// Grace is how long processes may take to end before they are killed.
	Grace time.Duration
}

const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
	// steady is how long a server must have run for its next end to be a first one.
	steady = 10 * time.Second
)

// Run never returns in a guest. It refuses to run as any process but the first,
// since it ends by killing everything it can see.
func Run(options Options) error {
	if os.Getpid() != 1 {
		return errors.New("envd init must be process 1")
	}
	if options.Console != "" {
		logTo(options.Console)
	}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGCHLD, syscall.SIGTERM, syscall.SIGINT, syscall.SIGPIPE, syscall.SIGHUP)
	s := supervisor{options: options, pause: firstPause}
	restart := time.NewTimer(0)
	for {
		select {
		case <-restart.C:
			if !s.start() {
				restart.Reset(s.nextPause())
			}
		case sig := <-signals:
			switch sig {
			case syscall.SIGCHLD:
				if s.reap() {
					restart.Reset(s.nextPause())
				}
			case syscall.SIGTERM, syscall.SIGINT:
				log.Printf("op=poweroff signal=%q", sig)
				endEverything(options.Grace)
				options.PowerOff()
				return nil
			}
		}
	}
}

type supervisor struct {
	options Options
	pid     int
	started time.Time
	pause   time.Duration
}

// start runs the server in a session of its own.
func (s *supervisor) start() bool {
	pid, _, err := syscall.StartProcess(s.options.Path, s.options.Argv, &syscall.ProcAttr{
		Dir:   "/",
		Env:   []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"},
		Files: append([]uintptr{0, 1, 2}, s.options.Files...),
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		log.Printf("op=start outcome=failed error=%q", err)
		return false
	}
	s.pid, s.started = pid, time.Now()
	return true
}

// reap collects every process that has ended and tells whether the server was one.
func (s *supervisor) reap() (serverEnded bool) {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return serverEnded
		}
		if pid == s.pid {
			log.Printf("op=serve outcome=ended status=%d signal=%d", status.ExitStatus(), status.Signal())
			serverEnded = true
		}
	}
}

// nextPause doubles the time before a restart as long as servers die young.
func (s *supervisor) nextPause() time.Duration {
	if time.Since(s.started) > steady {
		s.pause = firstPause
	}
	pause := s.pause
	if s.pause *= 2; s.pause > lastPause {
		s.pause = lastPause
	}
	return pause
}

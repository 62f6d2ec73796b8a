package pid1

// Process 1 is tried in a PID namespace of its own: the test binary starts itself
// there. Powering off is a message on stdout.

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const asInit = "ENVD_TEST_AS_INIT"

func TestMain(m *testing.M) {
	server := os.Getenv(asInit)
	if server == "" {
		os.Exit(m.Run())
	}
	err := Run(Options{
		Path: "/bin/sh", Argv: []string{"sh", "-c", server}, Grace: 5 * time.Second,
		PowerOff: func() { fmt.Println("off") },
	})
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// boot runs script as the server under a process 1 and returns the lines of both.
func boot(t *testing.T, script string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), asInit+"="+script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID, Setsid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("these tests need root, for a PID namespace: %v", err)
	}
	killer := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	t.Cleanup(func() { killer.Stop(); cmd.Process.Kill(); cmd.Wait() })
	return cmd, bufio.NewScanner(out)
}

func expectLine(t *testing.T, lines *bufio.Scanner, want string) {
	t.Helper()
	if !lines.Scan() || lines.Text() != want {
		t.Fatalf("%q, want %q", lines.Text(), want)
	}
}

func TestTheServerIsStartedAgainWhenItDies(t *testing.T) {
	_, lines := boot(t, "echo started; exit 1")
	for i := 0; i < 3; i++ {
		expectLine(t, lines, "started")
	}
}

func TestOrphansAreReaped(t *testing.T) {
	cmd, lines := boot(t, `i=0; while [ $i -lt 50 ]; do sh -c 'true &'; i=$((i+1)); done; echo orphaned; exec sleep 60`)
	expectLine(t, lines, "orphaned")
	deadline := time.Now().Add(10 * time.Second)
	for {
		// The threads of process 1 may each have children; one server is left in all.
		text, err := exec.Command("sh", "-c", "cat /proc/"+fmt.Sprint(cmd.Process.Pid)+"/task/*/children").Output()
		if err == nil && len(strings.Fields(string(text))) == 1 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("children left: %q", text)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestSIGTERMEndsEverythingAndPowersOff(t *testing.T) {
	cmd, lines := boot(t, `trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 0.05; done`)
	expectLine(t, lines, "ready")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	expectLine(t, lines, "asked")
	expectLine(t, lines, "off")
}

func TestRunRefusesToBeAnyOtherProcess(t *testing.T) {
	if err := Run(Options{}); err == nil {
		t.Fatal("it ran")
	}
}

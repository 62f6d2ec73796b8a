package main

// `envd serve` as a process of its own. Only the token is set here: the rest of
// /init would change the machine that the test runs on.

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const asEnvd = "ENVD_TEST_AS_ENVD"

func TestMain(m *testing.M) {
	if os.Getenv(asEnvd) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// serve runs command, which becomes `envd serve`, and returns its address.
func serve(t *testing.T, command *exec.Cmd) (address string) {
	t.Helper()
	command.Env = append(os.Environ(), asEnvd+"=1")
	log, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	killer := time.AfterFunc(20*time.Second, func() { command.Process.Kill() })
	t.Cleanup(func() { killer.Stop(); command.Process.Kill(); command.Wait() })
	for lines := bufio.NewScanner(log); address == "" && lines.Scan(); {
		_, address, _ = strings.Cut(lines.Text(), "op=listen address=")
	}
	return address
}

func TestServeAnswersOnTheAddressItSays(t *testing.T) {
	address := serve(t, exec.Command("/proc/self/exe", "serve", "-listen", "127.0.0.1:0"))
	status := func(method, path, body string) int {
		req, _ := http.NewRequest(method, "http://"+address+path, strings.NewReader(body))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	if got := status("GET", "/health", ""); got != 204 {
		t.Fatalf("/health: %d", got)
	}
	if got := status("POST", "/init", `{"accessToken":"x"}`); got != 204 {
		t.Fatalf("/init: %d", got)
	}
	if got := status("GET", "/metrics", ""); got != 401 {
		t.Fatalf("/metrics: %d", got)
	}
}

func TestWrongUseSaysHowItIsUsed(t *testing.T) {
	for _, args := range [][]string{nil, {"nonsense"}, {"init"}} {
		cmd := exec.Command("/proc/self/exe", args...)
		cmd.Env = append(os.Environ(), asEnvd+"=1")
		if out, err := cmd.CombinedOutput(); err == nil {
			t.Errorf("%q succeeded: %s", args, out)
		}
	}
}

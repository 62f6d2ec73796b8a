package process

// The JSON messages of service process.Process.

import (
	"encoding/json"
	"fmt"
	"syscall"

	"wrenn.dev/envd/internal/connect"
	"wrenn.dev/envd/internal/fault"
)

type empty struct{}

type startRequest struct {
	Process Config      `json:"process"`
	Pty     *ptyRequest `json:"pty"`
	Tag     string      `json:"tag"`
	Stdin   bool        `json:"stdin"`
}

type connectRequest struct {
	Process selector `json:"process"`
}

type listResponse struct {
	Processes []processInfo `json:"processes"`
}

type processInfo struct {
	Config Config `json:"config"`
	PID    int    `json:"pid"`
	Tag    string `json:"tag,omitempty"`
}

type input struct {
	Stdin *connect.Bytes `json:"stdin"`
	Pty   *connect.Bytes `json:"pty"`
}

type sendInputRequest struct {
	Process selector `json:"process"`
	Input   input    `json:"input"`
}

type streamInputRequest struct {
	Start *struct {
		Process selector `json:"process"`
	} `json:"start"`
	Data *struct {
		Input input `json:"input"`
	} `json:"data"`
	Keepalive *empty `json:"keepalive"`
}

type closeStdinRequest struct {
	Process selector `json:"process"`
}

type sendSignalRequest struct {
	Process selector `json:"process"`
	Signal  signal   `json:"signal"`
}

type updateRequest struct {
	Process selector    `json:"process"`
	Pty     *ptyRequest `json:"pty"`
}

// selector names a process by id or by tag.
type selector struct {
	PID *connect.Uint32 `json:"pid"`
	Tag *string         `json:"tag"`
}

func (s selector) check() error {
	if (s.PID == nil) == (s.Tag == nil) {
		return fault.New(fault.InvalidArgument, "process needs either pid or tag")
	}
	return nil
}

func (s selector) matches(p *Process) bool {
	if s.PID != nil {
		return p.PID == int(*s.PID)
	}
	return p.Tag == *s.Tag && p.Tag != ""
}

func (s selector) String() string {
	if s.PID != nil {
		return fmt.Sprintf("pid %d", *s.PID)
	}
	return fmt.Sprintf("tag %q", *s.Tag)
}

type signal syscall.Signal

// UnmarshalJSON reads an enum's name or number.
func (s *signal) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case `"SIGNAL_SIGHUP"`, "1":
		*s = signal(syscall.SIGHUP)
	case `"SIGNAL_SIGKILL"`, "9":
		*s = signal(syscall.SIGKILL)
	case `"SIGNAL_SIGTERM"`, "15":
		*s = signal(syscall.SIGTERM)
	default:
		return &json.UnsupportedValueError{Str: "signal " + string(text)}
	}
	return nil
}

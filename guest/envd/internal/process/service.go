package process

// Service process.Process: the methods that answer once. follow.go has the
// streams of events.

import (
	"errors"
	"io"
	"net/http"
	"syscall"

	"wrenn.dev/envd/internal/connect"
	"wrenn.dev/envd/internal/fault"
)

// Routes maps the paths of the service to handlers, all POST.
func (m *Manager) Routes() map[string]http.HandlerFunc {
	// A write may outlast the stall: time to tell a subscriber that recovers why it
	// was dropped.
	patience := 4 * m.options.Stall
	return map[string]http.HandlerFunc{
		"/process.Process/Start":       connect.ServerStream(patience, m.serveStart),
		"/process.Process/Connect":     connect.ServerStream(patience, m.serveConnect),
		"/process.Process/List":        connect.Unary(m.serveList),
		"/process.Process/SendInput":   connect.Unary(m.serveSendInput),
		"/process.Process/StreamInput": connect.ClientStream(m.serveStreamInput),
		"/process.Process/CloseStdin":  connect.Unary(m.serveCloseStdin),
		"/process.Process/SendSignal":  connect.Unary(m.serveSendSignal),
		"/process.Process/Update":      connect.Unary(m.serveUpdate),
	}
}

func (m *Manager) serveList(*http.Request, *empty) (listResponse, error) {
	return listResponse{Processes: m.list()}, nil
}

func (m *Manager) serveSendInput(r *http.Request, req *sendInputRequest) (empty, error) {
	p, err := m.find(req.Process, false)
	if err != nil {
		return empty{}, err
	}
	return empty{}, p.feed(r, req.Input)
}

func (m *Manager) serveStreamInput(r *http.Request, next func() (*streamInputRequest, error)) (empty, error) {
	var p *Process
	for {
		req, err := next()
		if errors.Is(err, io.EOF) {
			return empty{}, nil
		}
		switch {
		case err != nil:
		case req.Start != nil:
			p, err = m.find(req.Start.Process, false)
		case req.Data != nil && p != nil:
			err = p.feed(r, req.Data.Input)
		case req.Data != nil:
			err = fault.New(fault.InvalidArgument, "data before start")
		case req.Keepalive == nil:
			err = fault.New(fault.InvalidArgument, "an event must be start, data or keepalive")
		}
		if err != nil {
			return empty{}, err
		}
	}
}

func (p *Process) feed(r *http.Request, in input) error {
	data, toTerminal := in.Stdin, in.Pty != nil
	if toTerminal {
		data = in.Pty
	}
	switch {
	case (in.Stdin == nil) == (in.Pty == nil):
		return fault.New(fault.InvalidArgument, "input needs either stdin or pty")
	case toTerminal && !p.terminal:
		return fault.New(fault.FailedPrecondition, "process %d has no terminal: send stdin", p.PID)
	case p.terminal && !toTerminal:
		return fault.New(fault.FailedPrecondition, "process %d has a terminal: send pty", p.PID)
	}
	return p.stdin.write(r.Context(), *data)
}

func (m *Manager) serveCloseStdin(_ *http.Request, req *closeStdinRequest) (empty, error) {
	p, err := m.find(req.Process, false)
	if err != nil {
		return empty{}, err
	}
	if p.terminal {
		return empty{}, fault.New(fault.FailedPrecondition, "a terminal cannot be closed: send Ctrl-D (0x04), or a signal")
	}
	p.stdin.close()
	return empty{}, nil
}

func (m *Manager) serveSendSignal(_ *http.Request, req *sendSignalRequest) (empty, error) {
	if req.Signal == 0 {
		return empty{}, fault.New(fault.InvalidArgument, "signal is missing")
	}
	p, err := m.find(req.Process, true)
	if err != nil {
		return empty{}, err
	}
	return empty{}, p.Signal(syscall.Signal(req.Signal))
}

// serveUpdate changes a terminal's size; the kernel tells its foreground processes.
func (m *Manager) serveUpdate(_ *http.Request, req *updateRequest) (empty, error) {
	if req.Pty == nil {
		return empty{}, fault.New(fault.InvalidArgument, "pty is missing")
	}
	size, err := req.Pty.Size.winsize()
	if err != nil {
		return empty{}, err
	}
	p, err := m.find(req.Process, false)
	if err != nil {
		return empty{}, err
	}
	if !p.terminal {
		return empty{}, fault.New(fault.FailedPrecondition, "process %d has no terminal", p.PID)
	}
	return empty{}, p.stdin.resize(size)
}

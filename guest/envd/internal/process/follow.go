package process

// Start and Connect: a process's events as a stream.

import (
	"context"
	"net/http"
	"time"

	"wrenn.dev/envd/internal/connect"
	"wrenn.dev/envd/internal/fault"
)

func (m *Manager) serveStart(r *http.Request, req *startRequest, stream *connect.Stream) error {
	user, err := m.users.Caller(r)
	if err != nil {
		return err
	}
	timeout, err := connect.Timeout(r)
	if err != nil {
		return err
	}
	p, starter, err := m.Start(Command{
		Config: req.Process, Tag: req.Tag, Stdin: req.Stdin, Terminal: req.Pty, Timeout: timeout, User: user,
		Stall: m.stallOf(r, stream),
	})
	if err != nil {
		return err
	}
	defer p.hub.leave(starter, nil)
	return m.follow(r.Context(), p, starter, stream, connect.Keepalive(r, m.options.Keepalive))
}

// serveConnect's timeout ends the stream only: the process is not its own.
func (m *Manager) serveConnect(r *http.Request, req *connectRequest, stream *connect.Stream) error {
	timeout, err := connect.Timeout(r)
	if err != nil {
		return err
	}
	p, err := m.find(req.Process, true)
	if err != nil {
		return err
	}
	ctx := r.Context()
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	s := p.hub.subscribe(m.options.Stall)
	defer p.hub.leave(s, nil)
	return m.follow(ctx, p, s, stream, connect.Keepalive(r, m.options.Keepalive))
}

// follow sends the start, the output in order and the end, and returns how the
// stream ends. It returns early when the client goes away; the process runs on.
func (m *Manager) follow(ctx context.Context, p *Process, s *subscriber, stream *connect.Stream, keepalive time.Duration) error {
	if err := stream.Send(startFrame(p.PID)); err != nil {
		return err
	}
	idle := time.NewTicker(keepalive)
	defer idle.Stop()
	for {
		var err error
		select {
		case <-s.ready:
			err = stream.Send(s.take()...)
			idle.Reset(keepalive)
		case <-idle.C:
			err = stream.Send(keepaliveFrame)
		case <-s.gone:
			if err = stream.Send(s.take()...); err == nil {
				err = s.dropReason()
			}
			return err
		case <-p.ended:
			return sendEnd(p, s, stream)
		case <-ctx.Done():
			if ctx.Err() == context.DeadlineExceeded {
				return fault.New(fault.DeadlineExceeded, "the stream's timeout is over")
			}
			return fault.New(fault.Canceled, "the client went away")
		}
		if err != nil {
			return err
		}
	}
}

func sendEnd(p *Process, s *subscriber, stream *connect.Stream) error {
	rest := s.take()
	if err := s.dropReason(); err != nil {
		stream.Send(rest...)
		return err
	}
	status, timedOut := p.outcome()
	if timedOut {
		if err := stream.Send(rest...); err != nil {
			return err
		}
		return fault.New(fault.DeadlineExceeded, "the timeout is over: the process was killed with its children")
	}
	return stream.Send(append(rest, endFrame(status))...)
}

// stallOf is without end for a client that waits for readers of its own: its
// process waits with it, however long it reads nothing.
func (m *Manager) stallOf(r *http.Request, stream *connect.Stream) time.Duration {
	if !connect.WaitsForReader(r) {
		return m.options.Stall
	}
	stream.WaitForReader()
	return 0
}

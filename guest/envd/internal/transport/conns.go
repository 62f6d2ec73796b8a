// Package transport knows every open connection of the server. It closes them
// all before a snapshot is taken, so that no dead socket wakes up in a clone,
// and it gives a handler the write deadline of its own connection (net/http
// offers that only from Go 1.20 on).
package transport

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

type connKey struct{}

// Tracker holds the open connections of one http.Server.
type Tracker struct {
	mu   sync.Mutex
	open map[net.Conn]struct{}
}

// Attach installs the tracker's hooks. Call it before the server listens.
func Attach(server *http.Server) *Tracker {
	t := &Tracker{open: map[net.Conn]struct{}{}}
	server.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, conn)
	}
	server.ConnState = t.observe
	return t
}

func (t *Tracker) observe(conn net.Conn, state http.ConnState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch state {
	case http.StateNew:
		t.open[conn] = struct{}{}
	case http.StateClosed, http.StateHijacked:
		delete(t.open, conn)
	}
}

// CloseOthers resets every connection but that of ctx. A reset leaves no socket
// in FIN_WAIT or TIME_WAIT behind.
func (t *Tracker) CloseOthers(ctx context.Context) {
	own, _ := ctx.Value(connKey{}).(net.Conn)
	t.mu.Lock()
	defer t.mu.Unlock()
	for conn := range t.open {
		if conn == own {
			continue
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
		conn.Close()
	}
}

// SetWriteDeadline bounds the writes of the connection that ctx belongs to; the
// zero time takes the bound away.
func SetWriteDeadline(ctx context.Context, deadline time.Time) {
	if conn, ok := ctx.Value(connKey{}).(net.Conn); ok {
		conn.SetWriteDeadline(deadline)
	}
}

package connect

// The headers by which a client sets limits to its stream.

import (
	"net/http"
	"strconv"
	"time"

	"wrenn.dev/envd/internal/fault"
)

// DefaultKeepalive is the interval of a client that asks for none.
const DefaultKeepalive = 90 * time.Second

// Timeout reads Connect-Timeout-Ms; 0 means none.
func Timeout(r *http.Request) (time.Duration, error) {
	text := r.Header.Get("Connect-Timeout-Ms")
	if text == "" {
		return 0, nil
	}
	ms, err := strconv.ParseUint(text, 10, 64)
	if err != nil || len(text) > 10 {
		return 0, fault.New(fault.InvalidArgument, "invalid Connect-Timeout-Ms %q", text)
	}
	return time.Duration(ms) * time.Millisecond, nil
}

// Keepalive reads Keepalive-Ping-Interval, in seconds.
func Keepalive(r *http.Request, byDefault time.Duration) time.Duration {
	seconds, err := strconv.ParseUint(r.Header.Get("Keepalive-Ping-Interval"), 10, 31)
	if err != nil || seconds == 0 {
		return byDefault
	}
	return time.Duration(seconds) * time.Second
}

// WaitsForReader reads Wait-For-Reader: "connected" is for a client that has
// readers of its own to wait for, and closes the connection when they go.
func WaitsForReader(r *http.Request) bool {
	return r.Header.Get("Wait-For-Reader") == "connected"
}

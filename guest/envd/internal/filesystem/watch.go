package filesystem

// Watching a folder: WatchDir as a stream, or a watcher that the client asks from
// time to time (watchers.go).

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"wrenn.dev/envd/internal/connect"
	"wrenn.dev/envd/internal/fault"
	"wrenn.dev/envd/internal/watch"
)

// pace is the least time between two answers: a file that is written all the time
// is told so often.
const pace = 50 * time.Millisecond

type watchRequest struct {
	Path      string `json:"path"`
	Recursive bool   `json:"recursive"`
}

// watchEvent has one of its fields.
type watchEvent struct {
	Start      *empty       `json:"start,omitempty"`
	Filesystem *watch.Event `json:"filesystem,omitempty"`
	Keepalive  *empty       `json:"keepalive,omitempty"`
}

func (s *Service) openWatcher(r *http.Request, req *watchRequest) (*watch.Watcher, error) {
	path, _, err := s.resolve(r, req.Path)
	if err != nil {
		return nil, err
	}
	return watch.Open(path, req.Recursive)
}

// watchDir ends well when the folder is gone.
func (s *Service) watchDir(r *http.Request, req *watchRequest, stream *connect.Stream) error {
	timeout, err := connect.Timeout(r)
	if err != nil {
		return err
	}
	ctx, cancel := r.Context(), context.CancelFunc(func() {})
	if timeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, timeout)
	}
	defer cancel()
	watcher, err := s.openWatcher(r, req)
	if err != nil {
		return err
	}
	defer watcher.Close()
	go func() {
		<-ctx.Done()
		watcher.Close()
	}()
	if connect.WaitsForReader(r) {
		stream.WaitForReader()
	}
	if err := stream.Send(connect.Message(watchEvent{Start: &empty{}})); err != nil {
		return err
	}
	return tell(ctx, watcher, stream, connect.Keepalive(r, connect.DefaultKeepalive))
}

func tell(ctx context.Context, watcher *watch.Watcher, stream *connect.Stream, keepalive time.Duration) error {
	for {
		events, err := watcher.Wait(keepalive)
		if ctx.Err() != nil {
			return ended(ctx)
		}
		gone := errors.Is(err, io.EOF)
		if err != nil && !gone {
			return err
		}
		frames := make([][]byte, 0, len(events)+1)
		for i := range events {
			frames = append(frames, connect.Message(watchEvent{Filesystem: &events[i]}))
		}
		if len(events) == 0 && !gone {
			frames = append(frames, connect.Message(watchEvent{Keepalive: &empty{}}))
		}
		if err := stream.Send(frames...); err != nil || gone {
			return err
		}
		// No ticker: it would wake a guest that has nothing to do.
		select {
		case <-time.After(pace):
		case <-ctx.Done():
			return ended(ctx)
		}
	}
}

func ended(ctx context.Context) error {
	if ctx.Err() == context.DeadlineExceeded {
		return fault.New(fault.DeadlineExceeded, "the stream's timeout is over")
	}
	return fault.New(fault.Canceled, "the client went away")
}

package connect

// Streams: HTTP 200 whatever happens, messages in envelopes, the outcome in the
// last one. Every write has a deadline, so that a peer that stopped reading
// cannot hold a handler for ever; only one that asked for it is waited for until
// its connection breaks.

import (
	"errors"
	"io"
	"net/http"
	"time"

	"wrenn.dev/envd/internal/fault"
	"wrenn.dev/envd/internal/transport"
)

const streamMediaType = "application/connect+json"

// Stream writes the answer of a server stream.
type Stream struct {
	w       http.ResponseWriter
	r       *http.Request
	patient time.Duration
}

// Patience is a good time to wait for a peer that does not read.
const Patience = time.Minute

// ServerStream serves fn as a server-streaming method. Each write may take
// patience before the connection is given up. What fn returns ends the stream.
func ServerStream[Req any](patience time.Duration, fn func(*http.Request, *Req, *Stream) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !hasMediaType(w, r, streamMediaType) {
			return
		}
		stream := &Stream{w: w, r: r, patient: patience}
		w.Header().Set("Content-Type", streamMediaType)
		var req Req
		err := readOnly(r.Body, &req)
		if err == nil {
			err = fn(r, &req, stream)
		}
		stream.end(err)
	}
}

// ClientStream serves fn as a client-streaming method: fn calls next until io.EOF.
func ClientStream[Req, Res any](fn func(r *http.Request, next func() (*Req, error)) (Res, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !hasMediaType(w, r, streamMediaType) {
			return
		}
		stream := &Stream{w: w, r: r, patient: Patience}
		w.Header().Set("Content-Type", streamMediaType)
		res, err := fn(r, func() (*Req, error) { return readNext[Req](r.Body) })
		if err == nil {
			err = stream.Send(Message(res))
		}
		stream.end(err)
	}
}

// WaitForReader lifts the deadline of writes.
func (s *Stream) WaitForReader() { s.patient = 0 }

// Send writes complete frames and flushes them together. A peer that goes on
// reading, however slowly, has the whole patience for every frame.
func (s *Stream) Send(frames ...[]byte) error {
	for _, frame := range frames {
		transport.SetWriteDeadline(s.r.Context(), s.deadline())
		if _, err := s.w.Write(frame); err != nil {
			return fault.Wrap(fault.Canceled, err, "writing the stream")
		}
	}
	s.w.(http.Flusher).Flush()
	return nil
}

func (s *Stream) deadline() time.Time {
	if s.patient == 0 {
		return time.Time{}
	}
	return time.Now().Add(s.patient)
}

func (s *Stream) end(err error) {
	var failure *fault.Error
	if err != nil {
		failure = fault.Of(err)
	}
	s.Send(endOfStream(failure))
	transport.SetWriteDeadline(s.r.Context(), time.Time{})
}

func readNext[Req any](body io.Reader) (*Req, error) {
	message, err := ReadFrame(body)
	if err != nil {
		return nil, err
	}
	req := new(Req)
	return req, Decode(message, req)
}

// readOnly reads the one message of a server stream's request, and the end of
// the body: only then does net/http notice when the client goes away.
func readOnly(body io.Reader, into any) error {
	message, err := ReadFrame(body)
	if errors.Is(err, io.EOF) {
		return fault.New(fault.InvalidArgument, "the request message is missing")
	}
	if err != nil {
		return err
	}
	if _, err := ReadFrame(body); !errors.Is(err, io.EOF) {
		return fault.New(fault.InvalidArgument, "one request message expected")
	}
	return Decode(message, into)
}

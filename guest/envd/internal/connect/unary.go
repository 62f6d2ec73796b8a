package connect

// Unary calls: one JSON object in, one out, errors with Connect's HTTP status.

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"wrenn.dev/envd/internal/fault"
)

var statusOf = map[fault.Code]int{
	fault.Canceled:           499,
	fault.InvalidArgument:    http.StatusBadRequest,
	fault.DeadlineExceeded:   http.StatusGatewayTimeout,
	fault.NotFound:           http.StatusNotFound,
	fault.AlreadyExists:      http.StatusConflict,
	fault.PermissionDenied:   http.StatusForbidden,
	fault.ResourceExhausted:  http.StatusTooManyRequests,
	fault.FailedPrecondition: http.StatusBadRequest,
	fault.OutOfRange:         http.StatusBadRequest,
	fault.Unimplemented:      http.StatusNotImplemented,
	fault.Internal:           http.StatusInternalServerError,
	fault.Unauthenticated:    http.StatusUnauthorized,
}

// Unary serves fn as a unary method.
func Unary[Req, Res any](fn func(*http.Request, *Req) (Res, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !hasMediaType(w, r, "application/json") {
			return
		}
		var req Req
		if err := readJSON(w, r, &req); err != nil {
			WriteError(w, fault.Of(err))
			return
		}
		res, err := fn(r, &req)
		if err != nil {
			WriteError(w, fault.Of(err))
			return
		}
		body, err := json.Marshal(res)
		if err != nil {
			WriteError(w, fault.Of(err))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(body)
	}
}

// WriteError answers with the error as JSON and its code's HTTP status, but for a
// full disk: its code is that of every other lack.
func WriteError(w http.ResponseWriter, failure *fault.Error) {
	status := statusOf[failure.Code]
	if fault.IsDiskFull(failure) {
		status = http.StatusInsufficientStorage
	}
	WriteErrorStatus(w, status, failure)
}

// WriteErrorStatus is WriteError with a status chosen by the caller.
func WriteErrorStatus(w http.ResponseWriter, status int, failure *fault.Error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(errorJSON(failure))
}

func readJSON(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxMessageBytes))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return fault.New(fault.ResourceExhausted, "body too large: at most %d bytes", MaxMessageBytes)
		}
		return fault.Wrap(fault.InvalidArgument, err, "reading the body")
	}
	return Decode(body, into)
}

// Decode parses one JSON message. An empty one is the empty object; unknown
// fields are ignored, as protobuf's JSON mapping allows newer clients.
func Decode(message []byte, into any) error {
	if len(message) == 0 {
		return nil
	}
	if err := json.Unmarshal(message, into); err != nil {
		return fault.Wrap(fault.InvalidArgument, err, "invalid JSON")
	}
	return nil
}

func hasMediaType(w http.ResponseWriter, r *http.Request, want string) bool {
	got, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if got == want {
		return true
	}
	w.Header().Set("Accept-Post", want)
	WriteErrorStatus(w, http.StatusUnsupportedMediaType,
		fault.New(fault.InvalidArgument, "content type must be %s", want))
	return false
}

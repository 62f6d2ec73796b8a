package server

// The plain HTTP routes: translation between requests and the packages below.

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"time"

	"wrenn.dev/envd/internal/account"
	"wrenn.dev/envd/internal/connect"
	"wrenn.dev/envd/internal/fault"
	"wrenn.dev/envd/internal/guestpath"
	"wrenn.dev/envd/internal/identity"
	"wrenn.dev/envd/internal/metrics"
	"wrenn.dev/envd/internal/transfer"
)

const maxQuiesceBytes = 4096

func noContent(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

func serveInit(initializer *identity.Initializer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		if err := initializer.Apply(r); err != nil {
			log.Printf("op=init outcome=failed durationMs=%d error=%q", time.Since(start).Milliseconds(), err)
			writeFailure(w, err)
			return
		}
		noContent(w, r)
	}
}

// serveQuiesce closes the other connections, and freezes the disk if asked, before
// it answers: the host may take the snapshot the moment it has the answer. Its own
// connection goes with the answer.
func (s *Server) serveQuiesce(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close")
	var req struct {
		Freeze bool `json:"freeze"`
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxQuiesceBytes))
	if err == nil {
		err = connect.Decode(body, &req)
	}
	if err != nil {
		writeFailure(w, err)
		return
	}
	s.conns.CloseOthers(r.Context())
	if req.Freeze {
		if err := s.disk.Freeze(r.Context()); err != nil {
			log.Printf("op=freeze outcome=failed error=%q", err)
			writeFailure(w, err)
			return
		}
	}
	noContent(w, r)
}

func (s *Server) serveThaw(w http.ResponseWriter, r *http.Request) {
	if err := s.disk.Thaw(r.Context()); err != nil {
		log.Printf("op=thaw outcome=failed error=%q", err)
		writeFailure(w, err)
		return
	}
	noContent(w, r)
}

func serveMetrics(sampler *metrics.Sampler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		sample, err := sampler.Sample(r.Context())
		if err != nil {
			writeFailure(w, err)
			return
		}
		writeJSON(w, sample)
	}
}

type fileRoutes struct{ users *account.Resolver }

func (f fileRoutes) download(w http.ResponseWriter, r *http.Request) {
	user, err := f.users.Caller(r)
	if err == nil {
		var path string
		if path, err = guestpath.Resolve(r.URL.Query().Get("path"), user); err == nil {
			err = transfer.Download(w, r, path)
		}
	}
	if err != nil {
		writeFailure(w, err)
	}
}

func (f fileRoutes) upload(w http.ResponseWriter, r *http.Request) {
	user, err := f.users.Caller(r)
	if err != nil {
		writeFailure(w, err)
		return
	}
	written, err := transfer.Upload(r, user)
	if err != nil {
		writeFailure(w, err)
		return
	}
	writeJSON(w, written)
}

// writeFailure is connect.WriteError, with HTTP's own status for a wrong range.
func writeFailure(w http.ResponseWriter, err error) {
	failure := fault.Of(err)
	if failure.Code == fault.OutOfRange {
		connect.WriteErrorStatus(w, http.StatusRequestedRangeNotSatisfiable, failure)
		return
	}
	connect.WriteError(w, failure)
}

func writeJSON(w http.ResponseWriter, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		writeFailure(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(body)
}

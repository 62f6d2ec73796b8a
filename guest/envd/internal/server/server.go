// Package server is envd's HTTP surface: one table of routes, the token in front
// of it, and errors as JSON. What a route does lives in the package it calls.
package server

import (
	"net"
	"net/http"
	"strings"
	"time"

	"wrenn.dev/envd/internal/account"
	"wrenn.dev/envd/internal/connect"
	"wrenn.dev/envd/internal/fault"
	"wrenn.dev/envd/internal/filesystem"
	"wrenn.dev/envd/internal/freeze"
	"wrenn.dev/envd/internal/identity"
	"wrenn.dev/envd/internal/metrics"
	"wrenn.dev/envd/internal/process"
	"wrenn.dev/envd/internal/transport"
)

// Options are what differs between a guest and a test.
type Options struct {
	// System is changed by /init, Etc is the folder of its files.
	System identity.System
	Etc    string
	// Process has the limits of processes; Users is filled in.
	Process process.Options
	// Disk is frozen by /quiesce and thawed by /thaw and /init. Nil: there is none.
	Disk *freeze.Disk
}

// Server answers on one listener.
type Server struct {
	http   *http.Server
	conns  *transport.Tracker
	token  identity.Token
	disk   *freeze.Disk
	routes map[string]route
}

// route is what a path answers to; open needs no token.
type route struct {
	open    bool
	methods map[string]http.HandlerFunc
}

// New makes a server that does not listen yet.
func New(options Options) (*Server, error) {
	users := account.NewResolver(account.Open("/etc/passwd", "/etc/group"))
	options.Process.Users = users
	if options.Disk == nil {
		options.Disk = freeze.New(freeze.Options{})
	}
	processes, err := process.New(options.Process)
	if err != nil {
		return nil, err
	}
	s := &Server{disk: options.Disk}
	initializer := &identity.Initializer{
		Token: &s.token, System: options.System, Etc: options.Etc, Disk: s.disk, Users: users, SetEnvs: processes.SetEnvs,
	}
	files := fileRoutes{users}
	s.routes = map[string]route{
		"/health":  {open: true, methods: methods("GET", noContent)},
		"/init":    {open: true, methods: methods("POST", serveInit(initializer))},
		"/quiesce": {methods: methods("POST", s.serveQuiesce)},
		"/thaw":    {methods: methods("POST", s.serveThaw)},
		"/metrics": {methods: methods("GET", serveMetrics(&metrics.Sampler{}))},
		"/files":   {methods: map[string]http.HandlerFunc{"GET": files.download, "POST": files.upload}},
	}
	for path, handler := range processes.Routes() {
		s.routes[path] = route{methods: methods("POST", handler)}
	}
	for path, handler := range (&filesystem.Service{Users: users}).Routes() {
		s.routes[path] = route{methods: methods("POST", handler)}
	}
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.dispatch),
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       10 * time.Minute,
	}
	s.conns = transport.Attach(s.http)
	return s, nil
}

// Serve answers until Close.
func (s *Server) Serve(listener net.Listener) error { return s.http.Serve(listener) }

// Close stops listening and closes every connection.
func (s *Server) Close() error { return s.http.Close() }

func methods(method string, handler http.HandlerFunc) map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{method: handler}
}

// dispatch refuses in this order: no token, no such route, wrong method.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) {
	found, known := s.routes[r.URL.Path]
	if !found.open && !s.token.Admits(r) {
		connect.WriteError(w, fault.New(fault.Unauthenticated, "X-Access-Token is missing or wrong"))
		return
	}
	if !known {
		connect.WriteError(w, fault.New(fault.NotFound, "no such route: %s", r.URL.Path))
		return
	}
	handler := found.methods[r.Method]
	if handler == nil {
		w.Header().Set("Allow", strings.Join(names(found.methods), ", "))
		connect.WriteErrorStatus(w, http.StatusMethodNotAllowed,
			fault.New(fault.Unimplemented, "%s is not allowed on %s", r.Method, r.URL.Path))
		return
	}
	handler(w, r)
}

func names(handlers map[string]http.HandlerFunc) (methods []string) {
	for _, method := range []string{"GET", "POST"} {
		if handlers[method] != nil {
			methods = append(methods, method)
		}
	}
	return methods
}

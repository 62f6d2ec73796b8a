package account

// Which user a request acts as: `username` in the query (file routes), else the
// name in `Authorization: Basic`, else the default user.

import (
	"net/http"
	"sync/atomic"

	"wrenn.dev/envd/internal/fault"
)

// Resolver turns requests into users. The default user may be changed by /init.
type Resolver struct {
	Accounts    *Database
	defaultName atomic.Pointer[string]
}

// NewResolver resolves against accounts, with root as the default user.
func NewResolver(accounts *Database) *Resolver {
	r := &Resolver{Accounts: accounts}
	r.SetDefault("root")
	return r
}

// SetDefault names the user of requests that name none.
func (r *Resolver) SetDefault(name string) { r.defaultName.Store(&name) }

// ByName returns the named user, or the default one for an empty name.
func (r *Resolver) ByName(name string) (User, error) {
	if name == "" {
		name = *r.defaultName.Load()
	}
	user, ok := r.Accounts.Current().User(name)
	if !ok {
		return User{}, fault.New(fault.InvalidArgument, "no such user: %q", name)
	}
	return user, nil
}

// Caller returns the user that req acts as.
func (r *Resolver) Caller(req *http.Request) (User, error) {
	if name := req.URL.Query().Get("username"); name != "" {
		return r.ByName(name)
	}
	if req.Header.Get("Authorization") == "" {
		return r.ByName("")
	}
	name, _, ok := req.BasicAuth()
	if !ok {
		return User{}, fault.New(fault.InvalidArgument, "the Authorization header must be Basic, with a user name")
	}
	return r.ByName(name)
}

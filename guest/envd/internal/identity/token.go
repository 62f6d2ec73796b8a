// Package identity gives the guest who it is: POST /init sets the clock, mixes in
// entropy, names the machine and hands out the access token. A clone of a
// snapshot wakes up as somebody else's twin, and this is what parts them.
package identity

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"sync/atomic"
)

// Token is the sandbox's access token; its zero value is "not set yet".
type Token struct {
	digest atomic.Pointer[[sha256.Size]byte]
}

// IsSet tells whether an /init has set a token.
func (t *Token) IsSet() bool { return t.digest.Load() != nil }

// Admits compares the X-Access-Token header in constant time. No request is
// admitted before a token is set.
func (t *Token) Admits(r *http.Request) bool {
	digest := t.digest.Load()
	if digest == nil {
		return false
	}
	given := sha256.Sum256([]byte(r.Header.Get("X-Access-Token")))
	return subtle.ConstantTimeCompare(given[:], digest[:]) == 1
}

func (t *Token) set(text string) {
	digest := sha256.Sum256([]byte(text))
	t.digest.Store(&digest)
}

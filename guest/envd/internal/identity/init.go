package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"wrenn.dev/envd/internal/account"
	"wrenn.dev/envd/internal/connect"
	"wrenn.dev/envd/internal/fault"
	"wrenn.dev/envd/internal/freeze"
)

// request is the body of POST /init. A field that is missing changes nothing; the
// first /init needs accessToken.
type request struct {
	AccessToken string            `json:"accessToken"`
	EnvVars     map[string]string `json:"envVars"`
	Timestamp   *time.Time        `json:"timestamp"`
	Entropy     *connect.Bytes    `json:"entropy"`
	Hostname    string            `json:"hostname"`
	MachineID   string            `json:"machineId"`
	DefaultUser string            `json:"defaultUser"`
	// Thaw ends the freeze of a disk when all the rest is done.
	Thaw bool `json:"thaw"`
}

const (
	maxBodyBytes    = 1 << 20
	minEntropyBytes = 32
	maxEntropyBytes = 4096
	maxTokenBytes   = 4096
)

var (
	// RFC 1123 labels; the kernel takes 64 bytes.
	hostnamePattern  = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*$`)
	machineIDPattern = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

// Initializer serves /init.
type Initializer struct {
	Token   *Token
	System  System
	Etc     string
	Disk    *freeze.Disk
	Users   *account.Resolver
	SetEnvs func(map[string]string)

	mu sync.Mutex
}

// Apply checks r against the current token, then does all that it asks for, the
// token last. An error leaves the token as it was; the host takes the VM down then.
// Everything but what the guest has moved there works while the disk is frozen.
func (i *Initializer) Apply(r *http.Request) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.Token.IsSet() && !i.Token.Admits(r) {
		return fault.New(fault.Unauthenticated, "X-Access-Token is missing or wrong")
	}
	var req request
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBodyBytes))
	if err != nil {
		return fault.Wrap(fault.InvalidArgument, err, "reading the body")
	}
	if err := json.Unmarshal(body, &req); err != nil {
		return fault.Wrap(fault.InvalidArgument, err, "invalid JSON")
	}
	if err := i.check(&req); err != nil {
		return err
	}
	if err := i.changeSystem(r.Context(), &req); err != nil {
		return fault.Wrap(fault.Internal, err, "init failed")
	}
	if req.Thaw {
		if err := i.Disk.Thaw(r.Context()); err != nil {
			return fault.Wrap(fault.Internal, err, "init failed")
		}
	}
	if req.EnvVars != nil {
		i.SetEnvs(req.EnvVars)
	}
	if req.DefaultUser != "" {
		i.Users.SetDefault(req.DefaultUser)
	}
	if req.AccessToken != "" {
		i.Token.set(req.AccessToken)
	}
	return nil
}

func (i *Initializer) check(req *request) error {
	switch {
	case req.AccessToken == "" && !i.Token.IsSet():
		return fault.New(fault.InvalidArgument, "accessToken is missing")
	case len(req.AccessToken) > maxTokenBytes:
		return fault.New(fault.InvalidArgument, "accessToken has more than %d bytes", maxTokenBytes)
	case req.Entropy != nil && (len(*req.Entropy) < minEntropyBytes || len(*req.Entropy) > maxEntropyBytes):
		return fault.New(fault.InvalidArgument, "entropy must have %d to %d bytes", minEntropyBytes, maxEntropyBytes)
	case req.Hostname != "" && (len(req.Hostname) > 64 || !hostnamePattern.MatchString(req.Hostname)):
		return fault.New(fault.InvalidArgument, "invalid hostname %q", req.Hostname)
	case req.MachineID != "" && !machineIDPattern.MatchString(req.MachineID):
		return fault.New(fault.InvalidArgument, "machineId must be 32 lower-case hex digits")
	}
	for key, value := range req.EnvVars {
		if key == "" || strings.ContainsAny(key, "=\x00") || strings.Contains(value, "\x00") {
			return fault.New(fault.InvalidArgument, "invalid environment variable %q", key)
		}
	}
	if req.DefaultUser != "" {
		_, err := i.Users.ByName(req.DefaultUser)
		return err
	}
	return nil
}

func (i *Initializer) changeSystem(ctx context.Context, req *request) error {
	if req.Timestamp != nil {
		if err := i.System.SetClock(*req.Timestamp); err != nil {
			return err
		}
	}
	if req.Entropy != nil {
		if err := i.System.AddEntropy(*req.Entropy); err != nil {
			return err
		}
	}
	if req.Hostname != "" {
		if err := i.System.SetHostname(req.Hostname); err != nil {
			return err
		}
	}
	files, err := identityFiles(i.Etc, req.Hostname, req.MachineID)
	if err != nil {
		return err
	}
	return i.writeFiles(ctx, files, req.Thaw)
}

// writeFiles begins with what lies in memory. What the guest has put on the disk
// instead cannot be written while that is frozen: mayThaw ends the freeze for it.
func (i *Initializer) writeFiles(ctx context.Context, files []etcFile, mayThaw bool) error {
	var onDisk []etcFile
	for _, file := range files {
		if !file.inMemory() {
			onDisk = append(onDisk, file)
		} else if err := file.write(); err != nil {
			return err
		}
	}
	for _, file := range onDisk {
		if i.Disk.Frozen() {
			if !mayThaw {
				return fmt.Errorf("%s lies on the disk, which is frozen", file.path)
			}
			if err := i.Disk.Thaw(ctx); err != nil {
				return err
			}
		}
		if err := file.write(); err != nil {
			return err
		}
	}
	return nil
}

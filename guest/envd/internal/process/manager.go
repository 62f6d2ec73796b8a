package process

// The manager starts processes, finds them again and remembers their ends.

import (
	"os"
	"sort"
	"sync"
	"time"

	"wrenn.dev/envd/internal/account"
	"wrenn.dev/envd/internal/connect"
	"wrenn.dev/envd/internal/fault"
	"wrenn.dev/envd/internal/guestpath"
)

// Options are the manager's limits; New fills in what is zero.
type Options struct {
	// Stall is how long a subscriber may take nothing before it is dropped.
	Stall time.Duration
	// ExitKept is how long the end of a process stays known.
	ExitKept time.Duration
	// Keepalive is the interval of a client that asks for none.
	Keepalive time.Duration
	Now       func() time.Time
	OOM       *OOMGuard
	Users     *account.Resolver
}

// Manager owns every process that clients started.
type Manager struct {
	options Options
	users   *account.Resolver
	oom     *OOMGuard
	devNull *os.File

	mu      sync.Mutex
	envs    map[string]string
	running map[int]*Process
	exits   exits
}

// New makes a manager without processes.
func New(options Options) (*Manager, error) {
	if options.Stall == 0 {
		options.Stall = 30 * time.Second
	}
	if options.ExitKept == 0 {
		options.ExitKept = 10 * time.Minute
	}
	if options.Keepalive == 0 {
		options.Keepalive = connect.DefaultKeepalive
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	devNull, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	return &Manager{
		options: options, users: options.Users, oom: options.OOM, devNull: devNull,
		running: map[int]*Process{}, exits: newExits(options.ExitKept),
	}, nil
}

// SetEnvs replaces the sandbox-wide variables of commands started from now on.
func (m *Manager) SetEnvs(envs map[string]string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.envs = envs
}

// Command is a request to start a process.
type Command struct {
	Config Config
	Tag    string
	Stdin  bool
	// Terminal is nil for pipes; with one, Stdin means nothing.
	Terminal *ptyRequest
	Timeout  time.Duration
	// Stall is how long its starter may take no output before it is dropped; 0 is for ever.
	Stall time.Duration
	User  account.User
}

// Start runs command. Its starter is subscribed before any output is read.
func (m *Manager) Start(command Command) (*Process, *subscriber, error) {
	img, err := m.prepare(command)
	if err != nil {
		return nil, nil, err
	}
	plugs, err := m.plug(command)
	if err != nil {
		return nil, nil, err
	}
	pid, err := m.launch(img, &plugs)
	if err != nil {
		return nil, nil, err
	}
	p := &Process{
		PID: pid, Tag: command.Tag, Config: command.Config,
		hub: &hub{}, stdin: newStdin(plugs.stdin), terminal: plugs.terminal,
		ended: make(chan struct{}), onEnd: m.ended,
	}
	if p.terminal {
		p.hub.replay = &ring{}
	}
	starter := p.hub.subscribe(command.Stall)
	m.mu.Lock()
	m.exits.forgetPID(pid)
	m.running[pid] = p
	m.mu.Unlock()
	p.run(plugs, command.Timeout)
	return p, starter, nil
}

func (m *Manager) plug(command Command) (plugs, error) {
	if command.Terminal != nil {
		return openPty(command.Terminal, command.User)
	}
	return openPipes(m.devNull, command.Stdin)
}

func (m *Manager) prepare(command Command) (img image, err error) {
	config := command.Config
	img.user = command.User
	img.argv = append([]string{config.Cmd}, config.Args...)
	if config.Cmd == "" {
		return img, fault.New(fault.InvalidArgument, "cmd is empty")
	}
	for i, arg := range img.argv {
		if hasNUL(arg) {
			return img, fault.New(fault.InvalidArgument, "argument %d contains a NUL byte", i)
		}
	}
	if img.cwd, err = workingDirectory(config.Cwd, command.User); err != nil {
		return img, err
	}
	m.mu.Lock()
	envs := m.envs
	m.mu.Unlock()
	var terminal map[string]string
	if command.Terminal != nil {
		terminal = map[string]string{"TERM": "xterm-256color"}
	}
	if img.env, err = environment(command.User, terminal, envs, config.Envs); err != nil {
		return img, err
	}
	img.file, err = findExecutable(config.Cmd, valueOf(img.env, "PATH"), img.cwd)
	return img, err
}

func workingDirectory(cwd string, user account.User) (string, error) {
	if cwd == "" {
		cwd = "~"
	}
	path, err := guestpath.Resolve(cwd, user)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", fault.Wrap(fault.InvalidArgument, err, "cwd %q", path)
	}
	if !info.IsDir() {
		return "", fault.New(fault.InvalidArgument, "cwd %q: not a directory", path)
	}
	return path, nil
}

func (m *Manager) ended(p *Process) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running[p.PID] == p {
		delete(m.running, p.PID)
	}
	p.Config = Config{}
	p.endedAt = m.options.Now()
	m.exits.add(p)
}

// find returns the process that selector names: a running one, else, where
// exited ones count too, one that ended lately.
func (m *Manager) find(selector selector, exitedToo bool) (*Process, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := selector.check(); err != nil {
		return nil, err
	}
	if selector.PID != nil {
		if p := m.running[int(*selector.PID)]; p != nil {
			return p, nil
		}
	} else {
		for _, p := range m.running {
			if selector.matches(p) {
				return p, nil
			}
		}
	}
	if exitedToo {
		if p := m.exits.find(selector, m.options.Now()); p != nil {
			return p, nil
		}
	}
	return nil, fault.New(fault.NotFound, "no process with %s", selector)
}

// list returns the running processes by process id.
func (m *Manager) list() []processInfo {
	m.mu.Lock()
	defer m.mu.Unlock()
	infos := make([]processInfo, 0, len(m.running))
	for _, p := range m.running {
		infos = append(infos, processInfo{Config: p.Config, PID: p.PID, Tag: p.Tag})
	}
	sort.Slice(infos, func(i, j int) bool { return infos[i].PID < infos[j].PID })
	return infos
}

package filesystem

// Watchers that clients ask for what happened. Each is a queue in the kernel, so
// there are few, and one that nobody asks for a while is closed.

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"wrenn.dev/envd/internal/fault"
	"wrenn.dev/envd/internal/watch"
)

const (
	maxWatchers = 32
	// watcherKept is how long a watcher that nobody asks is kept when there is need of
	// another.
	watcherKept = 10 * time.Minute
)

type watcherRequest struct {
	ID string `json:"watcherId"`
}

type watcherResponse struct {
	ID string `json:"watcherId"`
}

type watcherEvents struct {
	Events []watch.Event `json:"events"`
}

// watchers are by id. The zero value has none.
type watchers struct {
	mu   sync.Mutex
	byID map[string]*polled
}

type polled struct {
	mu      sync.Mutex
	watcher *watch.Watcher
	// asked is guarded by the watchers' lock.
	asked time.Time
}

func (s *Service) createWatcher(r *http.Request, req *watchRequest) (watcherResponse, error) {
	watcher, err := s.openWatcher(r, req)
	if err != nil {
		return watcherResponse{}, err
	}
	id, err := s.watchers.add(watcher)
	if err != nil {
		watcher.Close()
	}
	return watcherResponse{ID: id}, err
}

// getWatcherEvents never waits. A watcher whose folder is gone tells what is left,
// and is forgotten.
func (s *Service) getWatcherEvents(_ *http.Request, req *watcherRequest) (watcherEvents, error) {
	asked, err := s.watchers.find(req.ID)
	if err != nil {
		return watcherEvents{}, err
	}
	asked.mu.Lock()
	events, err := asked.watcher.Poll()
	asked.mu.Unlock()
	if err != nil {
		s.watchers.remove(req.ID)
		if !errors.Is(err, io.EOF) {
			return watcherEvents{}, err
		}
	}
	if events == nil {
		events = []watch.Event{}
	}
	return watcherEvents{Events: events}, nil
}

func (s *Service) removeWatcher(_ *http.Request, req *watcherRequest) (empty, error) {
	if _, err := s.watchers.find(req.ID); err != nil {
		return empty{}, err
	}
	s.watchers.remove(req.ID)
	return empty{}, nil
}

func (w *watchers) add(watcher *watch.Watcher) (id string, err error) {
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", err
	}
	id = hex.EncodeToString(random[:])
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.byID) >= maxWatchers && !w.dropForgotten() {
		return "", fault.New(fault.ResourceExhausted, "there are %d watchers: remove one", maxWatchers)
	}
	if w.byID == nil {
		w.byID = map[string]*polled{}
	}
	w.byID[id] = &polled{watcher: watcher, asked: time.Now()}
	return id, nil
}

// dropForgotten makes room, if it can.
func (w *watchers) dropForgotten() (dropped bool) {
	for id, polled := range w.byID {
		if time.Since(polled.asked) > watcherKept {
			polled.watcher.Close()
			delete(w.byID, id)
			dropped = true
		}
	}
	return dropped
}

func (w *watchers) find(id string) (*polled, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	found, ok := w.byID[id]
	if !ok {
		return nil, fault.New(fault.NotFound, "no such watcher: %q", id)
	}
	found.asked = time.Now()
	return found, nil
}

func (w *watchers) remove(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if found, ok := w.byID[id]; ok {
		found.watcher.Close()
		delete(w.byID, id)
	}
}

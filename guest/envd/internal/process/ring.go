package process

// The last output of a terminal, for whoever attaches to it. A full-screen program
// draws only what changes, so what was read already is given again.

import (
	"bytes"
	"unicode/utf8"
)

const (
	ringBytes = 128 << 10
	// keptBytes is what is left of a full ring.
	keptBytes = ringBytes * 3 / 4
	// entryBytes is how far the beginning may be moved to a good place.
	entryBytes = 1 << 10
)

type ring struct {
	data []byte
	// modes are those that the dropped output has left the terminal in.
	modes modes
}

func (r *ring) add(data []byte) {
	r.data = append(r.data, data...)
	if len(r.data) <= ringBytes {
		return
	}
	cut := len(r.data) - keptBytes
	cut += entry(r.data[cut:])
	r.modes.follow(r.data[:cut])
	r.data = append(r.data[:0], r.data[cut:]...)
}

// frames brings a new terminal to where this one is.
func (r *ring) frames() (frames [][]byte) {
	replay := append(r.modes.sequences(), withoutQueries(r.data)...)
	for len(replay) > 0 {
		n := smaller(len(replay), chunkBytes)
		frames = append(frames, dataFrame(ptyFrame, replay[:n]))
		replay = replay[n:]
	}
	return frames
}

// entry finds where the output may begin: with a line or an escape sequence if one
// is near, and never in the middle of a character.
func entry(data []byte) int {
	near := data[:smaller(len(data), entryBytes)]
	if at := bytes.IndexAny(near, "\n\x1b"); at >= 0 {
		if near[at] == '\n' {
			at++
		}
		return at
	}
	for at := 0; at < utf8.UTFMax && at < len(data); at++ {
		if utf8.RuneStart(data[at]) {
			return at
		}
	}
	return 0
}

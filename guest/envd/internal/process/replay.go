package process

// What a replay must not repeat, and what it must say of the output that is not
// there any more. The sequences are those of xterm, which most terminals follow:
// https://invisible-island.net/xterm/ctlseqs/ctlseqs.html

import (
	"bytes"
	"regexp"
	"sort"
	"strconv"
)

// queries are what a terminal answers, as if it were typed: device attributes and
// status, modes, settings, colours, sizes, versions. Whoever asked has its answer;
// given again, it would land in a shell.
var queries = regexp.MustCompile(`\x05|\x1b(?:Z|` +
	`\[(?:[>=]?[0-9;]*c|\??[0-9;]*n|\??[0-9;]*\$p|>[0-9;]*q|\?u|[01]?x|(?:1[13-689]|2[01])(?:;[0-9;]*)?t)|` +
	`\][0-9;]+;\?(?:\x07|\x1b\\)|` +
	`P[$+]q[^\x07\x1b]*\x1b\\)`)

func withoutQueries(output []byte) []byte { return queries.ReplaceAll(output, nil) }

// changes are private modes that are set or reset, and a full reset.
var changes = regexp.MustCompile(`\x1bc|\x1b\[\?([0-9;]{1,64})([hl])`)

const (
	maxModes     = 64
	autoWrap     = 7
	cursorIsSeen = 25
)

// modes are the private modes of a terminal that are not as they begin: the
// alternate screen, pasting in brackets, the mouse, the cursor's look. The zero
// value is a new terminal.
type modes struct {
	altered map[int]bool
}

// follow reads output.
func (m *modes) follow(output []byte) {
	for _, change := range changes.FindAllSubmatch(output, -1) {
		if change[1] == nil {
			m.altered = nil
			continue
		}
		set := change[2][0] == 'h'
		for _, text := range bytes.Split(change[1], []byte{';'}) {
			if mode, err := strconv.Atoi(string(text)); err == nil {
				m.set(mode, set)
			}
		}
	}
}

func (m *modes) set(mode int, set bool) {
	if usual := mode == autoWrap || mode == cursorIsSeen; set == usual {
		delete(m.altered, mode)
		return
	}
	if m.altered == nil {
		m.altered = map[int]bool{}
	}
	if len(m.altered) < maxModes {
		m.altered[mode] = set
	}
}

// sequences put a new terminal into these modes.
func (m *modes) sequences() (output []byte) {
	numbers := make([]int, 0, len(m.altered))
	for mode := range m.altered {
		numbers = append(numbers, mode)
	}
	sort.Ints(numbers)
	for _, mode := range numbers {
		final := "l"
		if m.altered[mode] {
			final = "h"
		}
		output = append(output, "\x1b[?"+strconv.Itoa(mode)+final...)
	}
	return output
}

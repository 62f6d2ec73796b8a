package connect

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"wrenn.dev/envd/internal/fault"
)

// FuzzReadFrame: whatever arrives, the reader returns messages that were there in
// full, io.EOF or a refusal, and never more bytes than it was given.
func FuzzReadFrame(f *testing.F) {
	whole := Message(map[string]string{"a": "b"})
	for _, seed := range [][]byte{
		nil, {0}, {0, 0, 0, 0, 0}, {0, 0, 0, 0, 1}, {0, 255, 255, 255, 255}, {1, 0, 0, 0, 0}, {2, 0, 0, 0, 0},
		{255, 0, 0, 0, 0}, whole, whole[:len(whole)-1], append(whole, whole...), {0, 0, 128, 0, 1, 0},
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		reader, total := bytes.NewReader(input), 0
		for {
			message, err := ReadFrame(reader)
			if err == nil {
				total += HeaderBytes + len(message)
				continue
			}
			var refusal *fault.Error
			if err != io.EOF && !errors.As(err, &refusal) {
				t.Fatalf("%T: %v", err, err)
			}
			if total > len(input) {
				t.Fatalf("%d bytes out of %d", total, len(input))
			}
			return
		}
	})
}

func TestBytesReadEveryBase64(t *testing.T) {
	for _, text := range []string{`"+/8="`, `"+/8"`, `"-_8="`, `"-_8"`} {
		var b Bytes
		if err := json.Unmarshal([]byte(text), &b); err != nil || !bytes.Equal(b, []byte{0xfb, 0xff}) {
			t.Errorf("%s: %v, %v", text, b, err)
		}
	}
	var b Bytes
	if err := json.Unmarshal([]byte(`"*"`), &b); err == nil {
		t.Error("garbage was read")
	}
}

func TestUint32ReadsNumbersAndStrings(t *testing.T) {
	for text, want := range map[string]Uint32{"7": 7, `"7"`: 7, "4294967295": 4294967295, "null": 0} {
		var u Uint32
		if err := json.Unmarshal([]byte(text), &u); err != nil || u != want {
			t.Errorf("%s: %v, %v", text, u, err)
		}
	}
	for _, text := range []string{"-1", "4294967296", `"x"`, "1.5", "[]"} {
		var u Uint32
		if err := json.Unmarshal([]byte(text), &u); err == nil {
			t.Errorf("%s was read as %d", text, u)
		}
	}
}

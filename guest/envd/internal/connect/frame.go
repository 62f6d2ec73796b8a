// Package connect owns the Connect protocol's wire format, JSON codec only:
// unary calls, streams of enveloped messages and their errors. Services give it
// functions; it knows nothing of what they do.
// https://connectrpc.com/docs/protocol
package connect

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"

	"wrenn.dev/envd/internal/fault"
)

// MaxMessageBytes bounds one JSON message. 4 MiB of input are 5.6 MiB in base64.
const MaxMessageBytes = 8 << 20

// HeaderBytes is the length of an envelope's header: flags and length.
const HeaderBytes = 5

const (
	flagCompressed = 0x01
	flagEndStream  = 0x02
)

// ReadFrame returns the next message of a stream. io.EOF means that the stream
// ended between two messages; anything else is a *fault.Error. The buffer grows
// with the bytes that arrive, not with the length that the header claims.
func ReadFrame(r io.Reader) ([]byte, error) {
	var header [HeaderBytes]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		return nil, fault.Wrap(fault.InvalidArgument, err, "incomplete envelope")
	}
	if header[0]&flagCompressed != 0 {
		return nil, fault.New(fault.Unimplemented, "compressed messages are not supported")
	}
	if header[0]&flagEndStream != 0 {
		return nil, io.EOF
	}
	length := binary.BigEndian.Uint32(header[1:])
	if length > MaxMessageBytes {
		return nil, fault.New(fault.ResourceExhausted, "message of %d bytes: at most %d", length, MaxMessageBytes)
	}
	var payload bytes.Buffer
	if _, err := io.CopyN(&payload, r, int64(length)); err != nil {
		return nil, fault.Wrap(fault.InvalidArgument, err, "incomplete message")
	}
	return payload.Bytes(), nil
}

// AppendHeader appends the header of a message of length bytes.
func AppendHeader(dst []byte, length int) []byte {
	return append(dst, 0, byte(length>>24), byte(length>>16), byte(length>>8), byte(length))
}

// endOfStream is the last envelope of a stream, with the error if there is one.
func endOfStream(failure *fault.Error) []byte {
	payload := []byte("{}")
	if failure != nil {
		payload = append(append([]byte(`{"error":`), errorJSON(failure)...), '}')
	}
	frame := append(AppendHeader(nil, len(payload)), payload...)
	frame[0] = flagEndStream
	return frame
}

func errorJSON(failure *fault.Error) []byte {
	text, _ := json.Marshal(struct {
		Code    fault.Code `json:"code"`
		Message string     `json:"message"`
	}{failure.Code, failure.Message})
	return text
}

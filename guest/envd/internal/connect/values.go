package connect

// Values of protobuf's JSON mapping that encoding/json does not read by itself.
// https://protobuf.dev/programming-guides/json/

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
)

// Bytes reads base64 in the standard or URL alphabet, padded or not.
type Bytes []byte

func (b *Bytes) UnmarshalJSON(text []byte) error {
	var encoded string
	if err := json.Unmarshal(text, &encoded); err != nil {
		return err
	}
	encoded = strings.TrimRight(encoded, "=")
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(encoded, "-_") {
		encoding = base64.RawURLEncoding
	}
	decoded, err := encoding.DecodeString(encoded)
	*b = decoded
	return err
}

// Uint32 reads a number or its decimal string.
type Uint32 uint32

func (u *Uint32) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	n, err := strconv.ParseUint(strings.Trim(string(text), `"`), 10, 32)
	*u = Uint32(n)
	return err
}

// Int64 is written as a decimal string.
type Int64 int64

func (i Int64) MarshalJSON() ([]byte, error) {
	return []byte(strconv.Quote(strconv.FormatInt(int64(i), 10))), nil
}

// Message is the complete frame of a value that marshals to JSON without fail.
func Message(value any) []byte {
	payload, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return append(AppendHeader(make([]byte, 0, HeaderBytes+len(payload)), len(payload)), payload...)
}

package process

// The frames of an event stream, written by hand: output is the hot path, and
// one encoding serves every subscriber.

import (
	"encoding/base64"
	"strconv"
	"syscall"

	"wrenn.dev/envd/internal/connect"
)

type outputKind string

const (
	stdoutFrame outputKind = `{"event":{"data":{"stdout":"`
	stderrFrame outputKind = `{"event":{"data":{"stderr":"`
	ptyFrame    outputKind = `{"event":{"data":{"pty":"`
)

const dataSuffix = `"}}}`

var keepaliveFrame = connect.Message(map[string]any{"event": map[string]any{"keepalive": struct{}{}}})

func startFrame(pid int) []byte {
	return textFrame(`{"event":{"start":{"pid":` + strconv.Itoa(pid) + `}}}`)
}

func dataFrame(kind outputKind, data []byte) []byte {
	length := len(kind) + base64.StdEncoding.EncodedLen(len(data)) + len(dataSuffix)
	frame := connect.AppendHeader(make([]byte, 0, connect.HeaderBytes+length), length)
	frame = append(frame, kind...)
	text := frame[len(frame) : cap(frame)-len(dataSuffix)]
	base64.StdEncoding.Encode(text, data)
	return append(frame[:len(frame)+len(text)], dataSuffix...)
}

// endFrame reports 128+n for a command killed by signal n, as a shell does.
func endFrame(status syscall.WaitStatus) []byte {
	text := "exit status " + strconv.Itoa(status.ExitStatus())
	code := status.ExitStatus()
	if status.Signaled() {
		text = "signal: " + status.Signal().String()
		if status.CoreDump() {
			text += " (core dumped)"
		}
		code = 128 + int(status.Signal())
	}
	failure := ""
	if code != 0 {
		failure = `,"error":` + strconv.Quote(text)
	}
	return textFrame(`{"event":{"end":{"exitCode":` + strconv.Itoa(code) +
		`,"exited":` + strconv.FormatBool(status.Exited()) +
		`,"status":` + strconv.Quote(text) + failure + `}}}`)
}

func textFrame(payload string) []byte {
	frame := connect.AppendHeader(make([]byte, 0, connect.HeaderBytes+len(payload)), len(payload))
	return append(frame, payload...)
}

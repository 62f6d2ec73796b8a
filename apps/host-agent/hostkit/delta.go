package main

// The file format of a delta: what a VM's memory has that the memory file it was resumed from has not.
//
//	header   48 bytes, below
//	data     the bytes of the data runs, one after the other
//	table    24 bytes a run: offset, length, kind; ascending, apart from each other, whole pages
//
// All numbers are little-endian. The header is written last. Checksums are CRC-32C: what a crash or a disk has spoilt is
// refused as a whole.

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

const (
	deltaMagic    = "WRENNDLT"
	deltaVersion  = 1
	headerBytes   = 48
	runBytes      = 24
	kindData      = 0
	kindZero      = 1
	deltaUnit     = 4096
	deltaBufBytes = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errDelta = errors.New("the delta is damaged")

// run is a part of memory that a delta replaces; those of zeros have no data.
type run struct {
	span
	zero bool
}

// deltaHeader is laid out as: magic, version uint32, CRC of the table uint32, memory size uint64, data bytes uint64,
// runs uint64, CRC of the data uint32, CRC of the header up to here uint32.
type deltaHeader struct {
	memoryBytes, dataBytes, runs uint64
	tableSum, dataSum            uint32
}

func (h deltaHeader) encode() []byte {
	bytes := make([]byte, 0, headerBytes)
	bytes = append(bytes, deltaMagic...)
	bytes = binary.LittleEndian.AppendUint32(bytes, deltaVersion)
	bytes = binary.LittleEndian.AppendUint32(bytes, h.tableSum)
	bytes = binary.LittleEndian.AppendUint64(bytes, h.memoryBytes)
	bytes = binary.LittleEndian.AppendUint64(bytes, h.dataBytes)
	bytes = binary.LittleEndian.AppendUint64(bytes, h.runs)
	bytes = binary.LittleEndian.AppendUint32(bytes, h.dataSum)
	return binary.LittleEndian.AppendUint32(bytes, crc32.Checksum(bytes, castagnoli))
}

func decodeHeader(bytes []byte) (h deltaHeader, err error) {
	if string(bytes[:8]) != deltaMagic {
		return h, fmt.Errorf("%w: it does not begin as one", errDelta)
	}
	if binary.LittleEndian.Uint32(bytes[44:]) != crc32.Checksum(bytes[:44], castagnoli) {
		return h, fmt.Errorf("%w: its header has a wrong checksum", errDelta)
	}
	if version := binary.LittleEndian.Uint32(bytes[8:]); version != deltaVersion {
		return h, fmt.Errorf("the delta has version %d, and this program knows %d", version, deltaVersion)
	}
	h.tableSum = binary.LittleEndian.Uint32(bytes[12:])
	h.memoryBytes = binary.LittleEndian.Uint64(bytes[16:])
	h.dataBytes = binary.LittleEndian.Uint64(bytes[24:])
	h.runs = binary.LittleEndian.Uint64(bytes[32:])
	h.dataSum = binary.LittleEndian.Uint32(bytes[40:])
	return h, nil
}

func encodeRuns(runs []run) []byte {
	table := make([]byte, 0, len(runs)*runBytes)
	for _, r := range runs {
		kind := uint64(kindData)
		if r.zero {
			kind = kindZero
		}
		table = binary.LittleEndian.AppendUint64(table, r.offset)
		table = binary.LittleEndian.AppendUint64(table, r.length)
		table = binary.LittleEndian.AppendUint64(table, kind)
	}
	return table
}

// openDelta reads all of a delta and returns its runs once every checksum is right and every run lies in memory of
// memoryBytes. Data begins at headerBytes.
func openDelta(path string, memoryBytes uint64) (*os.File, []run, error) {
	file, err := openRegular(path, os.O_RDONLY)
	if err != nil {
		return nil, nil, err
	}
	runs, err := readDelta(file, memoryBytes)
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, runs, nil
}

func readDelta(file *os.File, memoryBytes uint64) ([]run, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	head := make([]byte, headerBytes)
	if _, err := file.ReadAt(head, 0); err == io.EOF {
		return nil, fmt.Errorf("%w: it has only %d bytes", errDelta, info.Size())
	} else if err != nil {
		return nil, err
	}
	header, err := decodeHeader(head)
	if err != nil {
		return nil, err
	}
	if header.memoryBytes != memoryBytes {
		return nil, fmt.Errorf("the delta is of a memory of %d bytes, and this one has %d", header.memoryBytes, memoryBytes)
	}
	size := uint64(info.Size())
	if header.dataBytes > size || header.runs > size/runBytes || size != headerBytes+header.dataBytes+header.runs*runBytes {
		return nil, fmt.Errorf("%w: its %d bytes are not what its header says", errDelta, size)
	}
	table := make([]byte, header.runs*runBytes)
	if _, err := file.ReadAt(table, int64(headerBytes+header.dataBytes)); err != nil {
		return nil, err
	}
	if crc32.Checksum(table, castagnoli) != header.tableSum {
		return nil, fmt.Errorf("%w: its table has a wrong checksum", errDelta)
	}
	sum := crc32.New(castagnoli)
	data := io.NewSectionReader(file, headerBytes, int64(header.dataBytes))
	if _, err := io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{data}, make([]byte, deltaBufBytes)); err != nil {
		return nil, err
	}
	if sum.Sum32() != header.dataSum {
		return nil, fmt.Errorf("%w: its data has a wrong checksum", errDelta)
	}
	return decodeRuns(table, header)
}

func decodeRuns(table []byte, header deltaHeader) ([]run, error) {
	runs := make([]run, 0, header.runs)
	end, data := uint64(0), uint64(0)
	for ; len(table) > 0; table = table[runBytes:] {
		offset, length := binary.LittleEndian.Uint64(table), binary.LittleEndian.Uint64(table[8:])
		kind := binary.LittleEndian.Uint64(table[16:])
		if offset < end || length == 0 || offset > header.memoryBytes || length > header.memoryBytes-offset || kind > kindZero {
			return nil, fmt.Errorf("%w: its table is wrong at %d", errDelta, offset)
		}
		if end = offset + length; kind == kindData {
			data += length
		}
		runs = append(runs, run{span{offset, length}, kind == kindZero})
	}
	if data != header.dataBytes {
		return nil, fmt.Errorf("%w: its table has %d bytes of data, its header %d", errDelta, data, header.dataBytes)
	}
	return runs, nil
}

package transfer

// Range requests: RFC 9110, section 14. One range is served; a set of several,
// or a unit other than bytes, is ignored, as the section permits.

import (
	"strconv"
	"strings"

	"wrenn.dev/envd/internal/fault"
)

type byteRange struct{ first, last int64 }

// parseRange returns nil for a header that is to be ignored, and out_of_range
// for one that no byte of the file satisfies.
func parseRange(header string, size int64) (*byteRange, error) {
	spec := strings.TrimPrefix(header, "bytes=")
	if spec == header || strings.Contains(spec, ",") {
		return nil, nil
	}
	from, to, isRange := strings.Cut(strings.TrimSpace(spec), "-")
	first, fromErr := strconv.ParseInt(from, 10, 64)
	last, toErr := strconv.ParseInt(to, 10, 64)
	switch {
	case !isRange, fromErr != nil && from != "", toErr != nil && to != "", from == "" && to == "":
		return nil, nil
	case from == "":
		first, last = size-last, size-1
		if first < 0 {
			first = 0
		}
	case to == "" || last >= size:
		last = size - 1
	case last < first:
		return nil, nil
	}
	if first > last {
		return nil, fault.New(fault.OutOfRange, "range %q of a file of %d bytes", header, size)
	}
	return &byteRange{first, last}, nil
}

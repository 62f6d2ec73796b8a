// hostkit does for the host agent what Node cannot.
//
//	hostkit seal FILE      copies FILE into a memfd that nobody can write any more, prints the number of its descriptor,
//	                       and holds it until standard input ends: meanwhile the caller opens /proc/PID/fd/N.
//	hostkit extents FILE   prints "offset length" of every part of FILE that holds data, one a line, in bytes.
//	hostkit clone [-sync] SOURCE TARGET
//	                       copies a sparse file, sharing its blocks where possible (clone.go).
//	hostkit dirty -pid PID -size BYTES -out FILE
//	                       saves the memory that a stopped VM has changed as a delta; prints {"pages","bytes"} (dirty.go).
//	hostkit fold -delta FILE -memory FILE
//	                       writes a delta into the memory file that it belongs to (fold.go).
//	hostkit vmm …          becomes an unprivileged VMM process in a slot (vmm.go).
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	if err := dispatch(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "hostkit:", err)
		os.Exit(1)
	}
}

func dispatch(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "seal":
		return seal(args[1])
	case len(args) == 2 && args[0] == "extents":
		return printExtents(args[1])
	case len(args) > 1 && args[0] == "clone":
		return clone(args[1:])
	case len(args) > 1 && args[0] == "dirty":
		return dirty(args[1:])
	case len(args) > 1 && args[0] == "fold":
		return fold(args[1:])
	case len(args) > 1 && args[0] == "vmm":
		return runVmm(args[1:])
	}
	return fmt.Errorf("usage: hostkit seal FILE | extents FILE | clone … | dirty … | fold … | vmm -uid N … COMMAND")
}

func seal(path string) error {
	memory, err := sealedCopy(path)
	if err != nil {
		return err
	}
	fmt.Println(memory.Fd())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func printExtents(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	all, err := extents(file)
	if err != nil {
		return err
	}
	for _, extent := range all {
		fmt.Println(extent.offset, extent.length)
	}
	return nil
}

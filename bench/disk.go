package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/devrev/pairdb/bench/load"
	"github.com/devrev/pairdb/bench/report"
)

const (
	probeBytes = 512      // of one append
	probeFile  = 64 << 20 // allocated ahead, as the logs of storage engines are; then from the beginning again
)

// A disk is the file that fdatasync is measured with.
type disk struct{ file *os.File }

func startDisk(_ context.Context, r *Run, _ []report.Case) (subject, error) {
	file, err := os.CreateTemp(r.dir, "probe-")
	if err != nil {
		return nil, err
	}
	d := &disk{file}
	if _, err = file.Write(make([]byte, probeFile)); err == nil {
		err = file.Sync()
	}
	if err != nil {
		d.stop()
		return nil, err
	}
	return d, nil
}

func (d *disk) op(c report.Case) (load.Op, load.Keys, error) {
	block := newValue(probeBytes)
	var at int64
	return func(context.Context, *load.Caller) error {
		if _, err := d.file.WriteAt(block, at); err != nil {
			return err
		}
		at = (at + probeBytes) % probeFile
		return datasync(d.file)
	}, load.Keys{N: 1}, nil
}

func (d *disk) idle() int { return 0 }
func (d *disk) stop()     { _ = d.file.Close() }

// The free space that a run needs: the stores, with what compaction holds twice for a while.
const fullSpace, quickSpace = 8 << 30, 2 << 30

// makeDir makes the directory for the servers' files, beneath parent or else where a real disk is found.
func makeDir(parent string, space uint64) (dir, fileSystem string, err error) {
	parents := []string{parent}
	if parent == "" {
		parents = []string{os.TempDir(), "/var/tmp", "."}
	}
	var refused []error
	for _, p := range parents {
		system, free, err := fileSystemOf(p)
		switch {
		case err != nil:
			refused = append(refused, fmt.Errorf("%s: %w", p, err))
		case system == "tmpfs":
			refused = append(refused, fmt.Errorf("%s is in memory, where a sync costs nothing", p))
		case free < space:
			refused = append(refused, fmt.Errorf("%s has %d MiB free, and %d are needed", p, free>>20, space>>20))
		default:
			dir, err = os.MkdirTemp(p, "pairdb-bench-")
			return dir, system, err
		}
	}
	return "", "", fmt.Errorf("no directory for the servers' files, give one with --dir: %w", errors.Join(refused...))
}

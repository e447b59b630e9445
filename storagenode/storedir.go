package storagenode

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// The files of a node's directory.
const (
	dataName = "data"   // Pebble's directory
	markName = "PAIRDB" // says that there is a store
)

const markText = "This directory is the store of a pairdb storage node. Its data is in data/.\n" +
	"Delete the whole directory, or nothing. Never put an older copy in its place, and\n" +
	"start no second node on a copy: a copy has the same store id, so that nobody would\n" +
	"notice the writes that it lacks. If the data is lost or damaged, move the directory\n" +
	"away and start empty: the node comes back with a new store id, which an operator\n" +
	"accepts in the topology.\n"

// A storeDir is a node's directory. Its mark is written after the store was made:
// with the mark there, a missing store is damage; a new one made in its place
// would hide the loss.
type storeDir struct {
	fs   vfs.FS
	path string
}

func (d storeDir) data() string     { return d.fs.PathJoin(d.path, dataName) }
func (d storeDir) markPath() string { return d.fs.PathJoin(d.path, markName) }

// prepare makes the directories, durably and for their owner alone, and reports whether a store is there already.
func (d storeDir) prepare() (exists bool, err error) {
	missing := d.missing()
	if err := d.fs.MkdirAll(d.data(), 0o700); err != nil {
		return false, err
	}
	for _, path := range missing {
		if err := d.syncDir(d.fs.PathDir(path)); err != nil {
			return false, err
		}
	}
	_, err = d.fs.Stat(d.markPath())
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	default:
		return false, fmt.Errorf("look for a store in %s: %w", d.path, err)
	}
}

func (d storeDir) mark() error {
	file, err := d.fs.Create(d.markPath(), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = file.Write([]byte(markText))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return d.syncDir(d.path)
}

// missing returns those of the directories, their parents included, that are to be made.
func (d storeDir) missing() (paths []string) {
	for path := d.data(); ; path = d.fs.PathDir(path) {
		if _, err := d.fs.Stat(path); err == nil || path == d.fs.PathDir(path) {
			return paths
		}
		paths = append(paths, path)
	}
}

func (d storeDir) syncDir(path string) error {
	dir, err := d.fs.OpenDir(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

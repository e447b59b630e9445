package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/devrev/pairdb"
)

// A file is one regular file of the tree.
type file struct {
	key string            // its path below the tree's root, with slashes
	sum [sha256.Size]byte // of what was stored
}

// A tree is the input.
type tree struct {
	root    string
	files   []file
	bytes   int64
	skipped int // larger than a value may be, not readable, or of too long a path
}

// findFiles lists the files below root, or below Go's source tree where root is empty.
func findFiles(ctx context.Context, out *printer, root string) (*tree, error) {
	if root != "" {
		return list(ctx, root)
	}
	goroot := runtime.GOROOT() //nolint:staticcheck // the program runs where it was built; otherwise see below
	t, err := list(ctx, filepath.Join(goroot, "src"))
	if err == nil {
		return t, nil
	}
	said, goErr := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	other := strings.TrimSpace(string(said))
	if goErr != nil || other == "" || other == goroot {
		return nil, err
	}
	out.line("no source tree in runtime.GOROOT() %q; taking that of go env GOROOT, %s", goroot, other)
	return list(ctx, filepath.Join(other, "src"))
}

func list(ctx context.Context, root string) (*tree, error) {
	const advice = "name a directory of files with -dir"
	// Some systems have the source tree behind a symbolic link, which WalkDir would not follow.
	root, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, advice)
	}
	t := &tree{root: root}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && path == root:
			return err
		case err != nil:
			t.skipped++
			return nil
		case !entry.Type().IsRegular():
			return nil
		}
		t.add(path, entry)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, advice)
	}
	if len(t.files) == 0 {
		return nil, fmt.Errorf("no files in %s; %s", root, advice)
	}
	return t, nil
}

func (t *tree) add(path string, entry fs.DirEntry) {
	key, err := filepath.Rel(t.root, path)
	info, infoErr := entry.Info()
	if err != nil || infoErr != nil || info.Size() > pairdb.DefaultMaxValueBytes || len(key) > pairdb.MaxKeyBytes {
		t.skipped++
		return
	}
	t.files = append(t.files, file{key: filepath.ToSlash(key)})
	t.bytes += info.Size()
}

func (t *tree) read(f *file) ([]byte, error) {
	return os.ReadFile(filepath.Join(t.root, filepath.FromSlash(f.key)))
}

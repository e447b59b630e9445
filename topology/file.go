package topology

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

const (
	// DefaultPoll is how often a waiting Watch of a File looks at it.
	DefaultPoll = 2 * time.Second

	// MaxFileBytes bounds a topology file: MaxNodes at well over a kilobyte each.
	MaxFileBytes = 8 << 20
)

// A FileOption sets an optional property of File.
type FileOption struct{ apply func(*fileSource) }

// PollEvery sets how often a waiting Watch looks at the file. The default, also
// for d of 0 or less, is DefaultPoll.
func PollEvery(d time.Duration) FileOption {
	return FileOption{func(s *fileSource) {
		if d > 0 {
			s.poll = d
		}
	}}
}

// File returns a Source of the topology in a JSON file, whose form the package
// comment shows. The file is read when Watch is called and every DefaultPoll while
// it waits; nothing runs in between, and nothing has to be closed.
//
// Replace the file in one step (write another, rename it). A file that cannot be
// read is a temporary error of Watch. A file that breaks a rule, or that may
// not follow what was read before (its epoch is smaller, or the same though its
// content differs; see Topology.Follows), is ErrInvalid. Either way the topology
// read before stays in force: Watch answers with it where it is newer than what the
// caller has, and otherwise returns the error for as long as it lasts.
func File(path string, opts ...FileOption) Source {
	s := &fileSource{path: path, poll: DefaultPoll, turn: make(chan struct{}, 1)}
	for _, o := range opts {
		if o.apply != nil {
			o.apply(s)
		}
	}
	return s
}

type fileSource struct {
	path string
	poll time.Duration

	// turn holds one token while somebody reads the file and judges what it says. (Not a
	// mutex, as it is held during I/O: waiting for it ends with the caller's context.)
	turn    chan struct{}
	text    []byte    // guarded by turn; what the file said last
	err     error     // guarded by turn; what is wrong with text
	current *Topology // guarded by turn; in force; nil until a valid one was read
}

func (s *fileSource) Watch(ctx context.Context, after uint64) (*Topology, error) {
	for {
		current, err := s.look(ctx)
		if current != nil && current.Epoch > after {
			return current, nil
		}
		if err == nil {
			err = pause(ctx, s.poll)
		}
		if err != nil {
			return nil, fmt.Errorf("topology file %s: %w", s.path, err)
		}
	}
}

// look reads the file and returns what is in force, and what is wrong with the
// file, if anything is.
func (s *fileSource) look(ctx context.Context) (*Topology, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	text, err := readFile(s.path)
	if err != nil {
		return s.current, err
	}
	// Bytes are compared, not times of change: a file system may give two writes
	// within one tick the same time.
	if s.text == nil || !bytes.Equal(text, s.text) {
		s.text = text
		s.err = s.accept(text)
	}
	return s.current, s.err
}

// accept puts the topology in text in force, or says why not.
func (s *fileSource) accept(text []byte) error {
	var t Topology
	if err := t.UnmarshalJSON(text); err != nil {
		return err
	}
	if err := t.Validate(); err != nil {
		return err
	}
	if s.current != nil {
		if s.current.Equal(&t) {
			return nil
		}
		if err := t.Follows(s.current); err != nil {
			return err
		}
	}
	s.current = &t
	return nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the path is the caller's to choose
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read from
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	text, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > MaxFileBytes {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrInvalid, MaxFileBytes)
	}
	return text, nil
}

// pause returns ctx's error if ctx ends before d has passed.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

//go:build unix

package faulttest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/devrev/pairdb/vclock"
)

// An auditLine is a line of a storage node's audit log: a write that the node first applied then.
type auditLine struct {
	TimeMs int64  `json:"time_ms"`
	Tenant string `json:"tenant"`
	Key    []byte `json:"key"`
	Actor  uint64 `json:"actor,string"`
	Stamp  uint64 `json:"stamp,string"`
}

func (l *auditLine) dot() vclock.Dot {
	return vclock.Dot{Actor: vclock.Actor(l.Actor), Stamp: vclock.Stamp(l.Stamp)}
}

func (l *auditLine) place() place { return place{l.Tenant, string(l.Key)} }

// A place is a key of a tenant.
type place struct{ tenant, key string }

// unsynced bounds how long before its node was killed a write may have been applied that the
// kill took back: what is not on disk yet, and so was not acknowledged.
const unsynced = time.Second

// An audited is what the nodes' audit logs say of one write.
type audited struct {
	nodes map[string]bool
	// fragile says that each node that applied it was killed right afterwards: they may have lost it.
	fragile bool
}

// audits reads the logs of all nodes.
func (r *onceTrial) audits() (map[place]map[vclock.Dot]*audited, error) {
	all := map[place]map[vclock.Dot]*audited{}
	for _, p := range r.c.nodes {
		err := eachLine(r.auditFile(p.id), func(l *auditLine) {
			dots := all[l.place()]
			if dots == nil {
				dots = map[vclock.Dot]*audited{}
				all[l.place()] = dots
			}
			a := dots[l.dot()]
			if a == nil {
				a = &audited{nodes: map[string]bool{}, fragile: true}
				dots[l.dot()] = a
			}
			a.nodes[p.id] = true
			a.fragile = a.fragile && p.killedWithin(time.UnixMilli(l.TimeMs), unsynced)
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// killedWithin reports whether the node was killed so soon after at.
func (p *process) killedWithin(at time.Time, d time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.killed {
		if since := k.Sub(at); since > -10*time.Millisecond && since < d { // the line's time is whole milliseconds
			return true
		}
	}
	return false
}

// notes reads what all callers noted.
func (r *onceTrial) notes() ([]note, error) {
	files, err := filepath.Glob(filepath.Join(r.dir, "notes-*"))
	if err != nil {
		return nil, err
	}
	var all []note
	for _, f := range files {
		if err := eachLine(f, func(n *note) { all = append(all, *n) }); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// eachLine calls f with every line of a file of JSON lines.
func eachLine[T any](file string, f func(*T)) error {
	text, err := os.ReadFile(file) //nolint:gosec // the trial's own
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line T
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return fmt.Errorf("%s: %q: %w", file, lines.Bytes(), err)
		}
		f(&line)
	}
	return lines.Err()
}

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/devrev/pairdb"
)

// A load is what many calls of one kind took.
type load struct {
	took    []time.Duration // in ascending order
	elapsed time.Duration   // of all of them together
}

func (l load) rate() int { return int(float64(len(l.took)) / l.elapsed.Seconds()) }

func (l load) percentile(p int) time.Duration {
	return l.took[min(len(l.took)*p/100, len(l.took)-1)]
}

// each calls do for every index below n, from some workers at once, and measures what
// do reports. The first error ends it.
func each(ctx context.Context, n, workers int, done *atomic.Int64, do func(ctx context.Context, i int) (time.Duration, error)) (load, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	took := make([]time.Duration, n)
	var next atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range min(workers, n) {
		all.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				d, err := do(ctx, i)
				if err != nil {
					cancel(err)
					return
				}
				took[i] = d
				done.Add(1)
			}
		})
	}
	all.Wait()
	elapsed := time.Since(began)
	slices.Sort(took)
	return load{took: took, elapsed: elapsed}, context.Cause(ctx)
}

// storeAll puts every file under its path, and kills a node when half of them are stored.
func (d *demo) storeAll(ctx context.Context, t *tree, workers int) (load, error) {
	d.out.step("Store every file of %s under its path (level Quorum: 2 of 3 nodes)", t.root)
	d.out.line("%s files, %s; %s skipped (larger than %d MiB, or not readable)",
		count(len(t.files)), megabytes(t.bytes), count(t.skipped), pairdb.DefaultMaxValueBytes>>20)
	victim := d.victim()
	t.bytes = 0
	var bytes, done atomic.Int64
	var once sync.Once
	stop := d.out.progress("stored", &done, len(t.files))
	puts, err := each(ctx, len(t.files), workers, &done, func(ctx context.Context, i int) (time.Duration, error) {
		if i >= len(t.files)/2 {
			once.Do(func() {
				pid := victim.cmd.Process.Pid
				victim.kill()
				d.out.line("half way: %s killed (SIGKILL to pid %d), the puts go on", victim.id, pid)
			})
		}
		f := &t.files[i]
		value, err := t.read(f)
		if err != nil {
			return 0, fmt.Errorf("%w; name another directory with -dir", err)
		}
		f.sum = sha256.Sum256(value)
		bytes.Add(int64(len(value)))
		began := time.Now()
		_, err = d.files.Put(ctx, f.key, value)
		return time.Since(began), err
	})
	stop()
	t.bytes = bytes.Load()
	if err != nil {
		return puts, d.explain(err)
	}
	d.out.line("stored %s files in %s, %s/s, no error", count(len(t.files)), seconds(puts.elapsed), count(puts.rate()))
	return puts, nil
}

// readAll gets every file and compares it with what was stored.
func (d *demo) readAll(ctx context.Context, t *tree, workers int) (load, int, error) {
	d.out.step("Read every file back while %s is down, and compare its SHA-256", d.victim().id)
	var done, mismatches atomic.Int64
	stop := d.out.progress("read", &done, len(t.files))
	gets, err := each(ctx, len(t.files), workers, &done, func(ctx context.Context, i int) (time.Duration, error) {
		f := &t.files[i]
		began := time.Now()
		obj, err := d.files.Get(ctx, f.key)
		took := time.Since(began)
		switch {
		case errors.Is(err, pairdb.ErrNotFound):
			d.mismatch(&mismatches, f.key, "not found")
		case err != nil:
			return 0, err
		case sha256.Sum256(obj.Value) != f.sum:
			d.mismatch(&mismatches, f.key, "other bytes than were stored")
		}
		return took, nil
	})
	stop()
	if err != nil {
		return gets, 0, d.explain(err)
	}
	d.out.line("read %s files in %s, %s/s; %d mismatches",
		count(len(t.files)), seconds(gets.elapsed), count(gets.rate()), mismatches.Load())
	return gets, int(mismatches.Load()), nil
}

// mostNamed bounds the mismatches that are named.
const mostNamed = 10

func (d *demo) mismatch(n *atomic.Int64, key, what string) {
	if n.Add(1) <= mostNamed {
		d.out.line("MISMATCH %s: %s", key, what)
	}
}

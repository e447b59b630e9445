// Command bench drives pairdb and its peers in interleaved rounds of one run, and prints medians over the rounds:
// throughput by callers, latencies in closed and open loops, and at the end the aims, one line each.
//
//	go run ./bench            # minutes
//	go run ./bench --quick    # less than one
//	go run ./bench --from results.json
//
// The load generator and the clients are in this process. Each storage node, and each server of a peer, is a process
// of its own: this program, run again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/devrev/pairdb/bench/peers"
	"github.com/devrev/pairdb/bench/report"
)

// options are the command line.
type options struct {
	quick    bool
	only     string
	dir      string
	json     string
	charts   string
	from     string
	limit    time.Duration
	settings report.Settings
}

// mode is what runs measure and print.
func (o *options) mode() string {
	if o.quick {
		return report.Quick
	}
	return report.Full
}

func main() {
	if peers.Serve(os.Getenv(peers.ServeEnv), os.Args[1:]) || serveNode() {
		return
	}
	o := parse(os.Args[1:])
	endProfile, err := profile("client")
	failIf(err)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	err = run(ctx, o)
	stop()
	endProfile()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// Defaults that differ between the modes.
const (
	fullRounds, quickRounds   = 5, 3
	fullSeconds, quickSeconds = 0.4, 0.3
	fullLimit, quickLimit     = 12 * time.Minute, 55 * time.Second
	fullKeys, quickKeys       = 100_000, 20_000
)

func parse(args []string) *options {
	o := &options{settings: report.Settings{Replicas: replicas}}
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	flags.BoolVar(&o.quick, "quick", false, "measure only what the main aims need, in less than a minute")
	flags.StringVar(&o.only, "only", "", "measure only the cases that match this regular expression, such as '^pairdb-memory get'")
	flags.StringVar(&o.dir, "dir", "", "directory for the servers' files, on a real disk (default: a temporary one)")
	flags.StringVar(&o.json, "json", "", "write the results to this file too")
	flags.StringVar(&o.charts, "charts", "", "write charts (SVG) to this directory")
	flags.Func("profile", "directory for CPU profiles of this process (client.pprof) and of each node", func(dir string) error {
		dir, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		return os.Setenv(profileEnv, dir) // for the nodes too
	})
	flags.StringVar(&o.from, "from", "", "measure nothing; report the results in this JSON file")
	flags.DurationVar(&o.limit, "limit", 0, "what the whole run may take; measurements are shortened to fit (default 12m, with --quick 55s)")
	flags.IntVar(&o.settings.Rounds, "rounds", 0, "how often each case is measured (default 5, with --quick 3)")
	flags.Float64Var(&o.settings.Seconds, "seconds", 0, "the longest measurement (default 0.4, with --quick 0.3)")
	flags.IntVar(&o.settings.Keys, "keys", 0, "keys in each store (default 100,000, with --quick 20,000)")
	flags.IntVar(&o.settings.ValueBytes, "value", 100, "bytes of a value")
	flags.IntVar(&o.settings.KeyMemory, "key-memory", 262_144, "keys of which pairdb's client remembers what it wrote; the client's own default is 131,072")
	flags.Uint64Var(&o.settings.Seed, "seed", uint64(time.Now().UnixNano()), "of the order of the cases, and of the keys")
	_ = flags.Parse(args) // it exits
	if flags.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "bench: there are no arguments, only flags; see --help")
		os.Exit(2)
	}
	pick(&o.settings.Rounds, fullRounds, quickRounds, o.quick)
	pick(&o.settings.Seconds, fullSeconds, quickSeconds, o.quick)
	pick(&o.limit, fullLimit, quickLimit, o.quick)
	pick(&o.settings.Keys, fullKeys, quickKeys, o.quick)
	return o
}

// pick sets what the command line has not.
func pick[T comparable](value *T, full, quick T, isQuick bool) {
	var zero T
	switch {
	case *value != zero:
	case isQuick:
		*value = quick
	default:
		*value = full
	}
}

func run(ctx context.Context, o *options) error {
	if o.from != "" {
		return again(o)
	}
	r, err := newRun(o)
	if err != nil {
		return err
	}
	defer r.close()
	err = r.measure(ctx)
	if ctx.Err() != nil {
		return errInterrupted // whatever failed because of it
	}
	if err != nil {
		return err
	}
	if err := say(o, r.Results); err != nil {
		return err
	}
	return r.failed()
}

var errInterrupted = errors.New("interrupted")

// again reports a stored run.
func again(o *options) error {
	f, err := os.Open(o.from)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	results, err := report.ReadJSON(f)
	if err != nil {
		return err
	}
	return say(o, results)
}

// say writes the results wherever the command line wants them.
func say(o *options, results *report.Results) error {
	if o.json != "" {
		f, err := os.Create(o.json)
		if err != nil {
			return err
		}
		if err := results.WriteJSON(f); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	if o.charts != "" {
		if err := report.WriteCharts(o.charts, results); err != nil {
			return err
		}
	}
	return report.WriteMarkdown(os.Stdout, results)
}

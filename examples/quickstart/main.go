// Command quickstart shows pairdb on real input: it starts three storage nodes as
// processes of their own, stores the Go source tree in them, kills one half way, and
// reads every byte back. It needs nothing but Go and leaves nothing behind.
//
//	go run ./examples/quickstart
//	go run ./examples/quickstart -dir ~/some/files
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const (
	exitFailed      = 1 // also when a byte differs
	exitUsage       = 2
	exitInterrupted = 130 // as shells have it for Ctrl-C
)

func main() {
	if os.Getenv(nodeEnv) != "" {
		os.Exit(nodeMain(os.Args[1:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal, which cleans up, a second one kills.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", "", "store the files below this `directory` (default the source tree of Go)")
	workers := flags.Int("workers", 32, "calls under way at once, from 1 to 1024")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return exitUsage
	case flags.NArg() > 0:
		_, _ = fmt.Fprintf(stderr, "quickstart: unexpected argument %q; -help lists the flags\n", flags.Arg(0))
		return exitUsage
	case *workers < 1 || *workers > 1024:
		_, _ = fmt.Fprintf(stderr, "quickstart: -workers is %d; give a number from 1 to 1024\n", *workers)
		return exitUsage
	}
	err := quickstart(ctx, newPrinter(stdout), *dir, *workers)
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		_, _ = fmt.Fprintln(stderr, "\nquickstart: interrupted; the nodes are stopped and their files removed")
		return exitInterrupted
	}
	_, _ = fmt.Fprintf(stderr, "\nquickstart: %v\n", err)
	return exitFailed
}

// quickstart runs the steps in order, and removes what they made.
func quickstart(ctx context.Context, out *printer, root string, workers int) (err error) {
	input, err := findFiles(ctx, out, root)
	if err != nil {
		return err
	}
	nodes, err := startCluster(ctx, out, 3)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, nodes.remove()) }()

	d, err := open(ctx, out, nodes)
	if err != nil {
		return err
	}
	defer d.close()
	puts, err := d.storeAll(ctx, input, workers)
	if err != nil {
		return err
	}
	gets, mismatches, err := d.readAll(ctx, input, workers)
	if err != nil {
		return err
	}
	for _, step := range []func(context.Context, *tree) error{d.repair, d.merge, d.delete, d.outage} {
		if err := step(ctx, input); err != nil {
			return err
		}
	}
	out.table(input, puts, gets, mismatches)
	if mismatches > 0 {
		return fmt.Errorf("%d files came back different; the lines above name them", mismatches)
	}
	return nil
}

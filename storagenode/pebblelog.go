package storagenode

import (
	"fmt"
	"slices"
)

// pebbleLog hands Pebble's own messages on.
type pebbleLog struct{ e *pebbleEngine }

func (l pebbleLog) Infof(format string, args ...any) {
	l.e.log.Debug(fmt.Sprintf(format, plain(args)...))
}

func (l pebbleLog) Errorf(format string, args ...any) {
	l.e.log.Warn(fmt.Sprintf(format, plain(args)...))
}

// Fatalf is where Pebble expects the process to end. The frozen disk is as good:
// nothing that follows is written, or believed.
func (l pebbleLog) Fatalf(format string, args ...any) {
	l.e.fs.freeze(fmt.Errorf(format, plain(args)...))
}

// plain wraps the errors among args: Pebble's own print their stacks with %+v,
// which is also what a text log does with them.
func plain(args []any) []any {
	wrapped := slices.Clone(args)
	for i, arg := range wrapped {
		if err, ok := arg.(error); ok {
			wrapped[i] = fmt.Errorf("%w", err)
		}
	}
	return wrapped
}

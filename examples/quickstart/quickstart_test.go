package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
)

// TestMain lets the test binary be a storage node, as the program can.
func TestMain(m *testing.M) {
	if os.Getenv(nodeEnv) != "" {
		os.Exit(nodeMain(os.Args[1:]))
	}
	os.Exit(m.Run())
}

const someFiles = 60

// someTree has someFiles files that are stored, one of them empty, one that is too
// large, and a symbolic link.
func someTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "a", "b"), 0o755))
	for i := range someFiles {
		content := bytes.Repeat([]byte(fmt.Sprintln("line of file", i)), i*i)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a", "b", fmt.Sprint(i)), content, 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "large"), make([]byte, pairdb.DefaultMaxValueBytes+1), 0o600))
	require.NoError(t, os.Symlink("large", filepath.Join(dir, "link")))
	return dir
}

// ownTemp is where the nodes' stores go; they have to be gone when the test ends.
func ownTemp(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left)
	})
}

func TestItShowsEveryStepAndEndsWithATableWithoutMismatches(t *testing.T) {
	dir := someTree(t)
	ownTemp(t)
	var stdout, stderr bytes.Buffer
	require.Zero(t, run(t.Context(), []string{"-dir", dir}, &stdout, &stderr), "%s%s", &stdout, &stderr)
	require.Empty(t, stderr.String())
	text := stdout.String()
	for _, pattern := range []string{
		`(?m)^   n3 +pid \d+ +127\.0\.0\.1:\d+ `,
		`(?m)^   60 files, .* 1 skipped`,
		`(?m)^   half way: n3 killed`,
		`(?m)^   read 60 files .* 0 mismatches$`,
		`(?m)^   n3 alone, before: .*: not there$`,
		`(?m)^   Get at level All: .*; repair sent to n3 `,
		`(?m)^   n3 alone, after: .* bytes$`,
		`(?m)^   merged by resolver: "apples bread milk"$`,
		`(?m)^   stored with After:  "apples bread milk", siblings: 1$`,
		`(?m)^   Get: +pairdb: not found$`,
		`(?m)^   ErrNotApplied: +true `,
		`(?m)^   ErrUnknown: +false `,
		`(?m)^   Retryable: +true `,
		`(?m)^   both back, Put: +on disk on [23] of 3 `,
		`(?m)^   files +60 +60$`,
		`(?m)^   bytes +\d+\.\d MB`,
		`(?m)^   files/s +[\d,]+ +[\d,]+$`,
		`(?m)^   p50 +\d+\.\d ms +\d+\.\d ms$`,
		`(?m)^   p99 +\d+\.\d ms +\d+\.\d ms$`,
		`(?m)^   mismatches +0$`,
	} {
		require.Regexp(t, pattern, text)
	}
	require.LessOrEqual(t, strings.Count(text, "\n"), 60, text)
}

func TestAFileThatComesBackDifferentIsNamedAndCounted(t *testing.T) {
	ownTemp(t)
	var text bytes.Buffer
	out := newPrinter(&text)
	input, err := findFiles(t.Context(), out, someTree(t))
	require.NoError(t, err)
	nodes, err := startCluster(t.Context(), out, 3)
	require.NoError(t, err)
	defer func() { require.NoError(t, nodes.remove()) }()
	d, err := open(t.Context(), out, nodes)
	require.NoError(t, err)
	defer d.close()
	_, err = d.storeAll(t.Context(), input, 4)
	require.NoError(t, err)

	input.files[3].sum = sha256.Sum256([]byte("something else"))
	input.files = append(input.files, file{key: "never stored"})
	_, mismatches, err := d.readAll(t.Context(), input, 4)
	require.NoError(t, err)
	require.Equal(t, 2, mismatches)
	require.Contains(t, text.String(), "MISMATCH "+input.files[3].key+": other bytes")
	require.Contains(t, text.String(), "MISMATCH never stored: not found")
}

func TestAnInterruptedRunStopsItsNodesAndLeavesNothingBehind(t *testing.T) {
	dir := someTree(t)
	ownTemp(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"-dir", dir}, &onText{&stdout, "half way", interrupt}, &stderr)
	require.Equal(t, exitInterrupted, code, stderr.String())
	require.Contains(t, stderr.String(), "interrupted")
	require.NotContains(t, stdout.String(), "mismatches")
}

// onText calls then when text is written.
type onText struct {
	to   *bytes.Buffer
	text string
	then func()
}

func (w *onText) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.text) {
		w.then()
	}
	return w.to.Write(p)
}

func TestWrongArgumentsSayWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"unknown flag": {[]string{"-what"}, exitUsage, "-dir"},
		"an argument":  {[]string{"tree"}, exitUsage, "-help"},
		"no workers":   {[]string{"-workers", "0"}, exitUsage, "from 1 to 1024"},
		"no directory": {[]string{"-dir", filepath.Join(t.TempDir(), "none")}, exitFailed, "with -dir"},
		"no files":     {[]string{"-dir", t.TempDir()}, exitFailed, "with -dir"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			require.Equal(t, c.code, run(t.Context(), c.args, &stdout, &stderr))
			require.Contains(t, stderr.String(), c.says)
			require.Empty(t, stdout.String())
		})
	}
}

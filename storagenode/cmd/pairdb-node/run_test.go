package main

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func try(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, func(name string) string { return env[name] }, &out, &err)
	return code, out.String(), err.String()
}

func TestWrongSettingsEndWithCode2AndSayWhatToDo(t *testing.T) {
	memory := []string{"--memory", "--cluster", "c", "--node", "n1"}
	for name, c := range map[string]struct {
		args []string
		env  map[string]string
		says string
	}{
		"nothing":          {nil, nil, "--cluster"},
		"no node":          {[]string{"--cluster", "c"}, nil, "--node"},
		"no directory":     {[]string{"--cluster", "c", "--node", "n"}, nil, "--dir"},
		"both kinds":       {append(memory, "--dir", "x"), nil, "exclude each other"},
		"unknown flag":     {[]string{"--what"}, nil, "--help"},
		"an argument":      {[]string{"serve"}, nil, `"serve"`},
		"half of TLS":      {append(memory, "--tls-cert", "x"), nil, "--tls-key"},
		"no certificate":   {append(memory, "--tls-cert", "x", "--tls-key", "y"), nil, "PEM"},
		"authority alone":  {append(memory, "--tls-ca", "x"), nil, "--tls-cert"},
		"log format":       {append(memory, "--log-format", "xml"), nil, "text or json"},
		"log level":        {append(memory, "--log-level", "loud"), nil, "debug, info"},
		"a bad variable":   {memory, map[string]string{"PAIRDB_NODE_SKEW": "soon"}, "PAIRDB_NODE_SKEW"},
		"limit":            {append(memory, "--skew", "2h"), nil, "Limits.Skew"},
		"unwritable audit": {append(memory, "--audit", "/no/such/dir/audit"), nil, "--audit"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := try(t, c.env, c.args...)
			require.Equal(t, exitUsage, code, stderr)
			require.Empty(t, stdout)
			require.Contains(t, stderr, c.says)
		})
	}
}

func TestAnAddressThatIsTakenEndsWithCode1(t *testing.T) {
	code, _, stderr := try(t, nil, "--memory", "--cluster", "c", "--node", "n", "--listen", "127.0.0.1:notaport")
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "--listen")
}

func TestHelpShowsExamplesAndTheVariables(t *testing.T) {
	code, stdout, _ := try(t, nil, "--help")
	require.Zero(t, code)
	require.Contains(t, stdout, "Examples:")
	require.Contains(t, stdout, "PAIRDB_NODE_MAX_VALUE")
}

func TestAFlagWinsOverItsVariable(t *testing.T) {
	env := map[string]string{"PAIRDB_NODE_CLUSTER": "env", "PAIRDB_NODE_NODE": "env", "PAIRDB_NODE_DIR": filepath.Join("x", "y")}
	s, err := parse([]string{"--node", "flag"}, func(name string) string { return env[name] }, nil)
	require.NoError(t, err)
	require.Equal(t, "env", s.cluster)
	require.Equal(t, "flag", s.node)
	require.Equal(t, filepath.Join("x", "y"), s.dir)
}

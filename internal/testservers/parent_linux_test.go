//pairdb:needs postgres
//pairdb:needs redis

package testservers

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// asParent has this binary start servers, say their process ids, and wait.
const asParent = "TESTSERVERS_PARENT"

func init() {
	if os.Getenv(asParent) == "" {
		return
	}
	p, err := StartPostgres("")
	r, rerr := StartRedis("")
	if err != nil || rerr != nil {
		fmt.Println(err, rerr)
		os.Exit(1)
	}
	fmt.Println(p.child.pid, r.child.pid)
	select {}
}

func TestServersDieWithTheProcessThatStartedThem(t *testing.T) {
	parent := exec.CommandContext(t.Context(), os.Args[0])
	dir := temporary(t)
	require.NoError(t, os.Chmod(dir, 0o755))
	parent.Env = append(os.Environ(), asParent+"=1", "TMPDIR="+dir)
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	var pids []int
	for _, word := range strings.Fields(line) {
		pid, err := strconv.Atoi(word)
		require.NoError(t, err, line)
		require.False(t, gone(pid))
		pids = append(pids, append(childrenOf(pid), pid)...)
	}
	require.Greater(t, len(pids), 2, "PostgreSQL has children")
	require.NoError(t, parent.Process.Kill())
	require.Error(t, parent.Wait())
	for _, pid := range pids {
		require.Eventually(t, func() bool { return gone(pid) }, patience, 5*time.Millisecond)
	}
}

func TestServersStartForAPlainUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user; the other tests run as a plain user already")
	}
	as := &user{name: "nobody", uid: 65534, gid: 65534}
	dir := temporary(t)
	require.NoError(t, as.own(dir))
	binary := filepath.Join(dir, "tests")
	copyFile(t, binary, os.Args[0])
	cmd := exec.CommandContext(t.Context(), binary, "-test.v",
		"-test.run", "^(TestPostgresDatabasesAreEmptyAndOfUniqueName|TestRedisByDefaultKeepsNothing)$")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+dir, requireServers+"=1", "HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: as.uid, Gid: as.gid}}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, 2, strings.Count(string(out), "--- PASS"), "%s", out)
}

func TestAllThatAClosedServerStartedIsGone(t *testing.T) {
	p, r := NewPostgres(t), NewRedis(t)
	pids := append(childrenOf(p.child.pid), p.child.pid, r.child.pid)
	dirs := []string{p.dir, p.data, r.dir}
	require.NoError(t, p.Close())
	require.NoError(t, r.Close())
	require.NoError(t, r.Close(), "it may be called again")
	for _, pid := range pids {
		require.True(t, gone(pid))
	}
	for _, dir := range dirs {
		require.NoDirExists(t, dir)
	}
}

func TestADirectoryThatAnotherUserCannotEnterIsNamed(t *testing.T) {
	as := &user{name: "someone", uid: 12345, gid: 12345}
	top := temporary(t)
	inside := filepath.Join(top, "inside")
	require.NoError(t, os.Mkdir(inside, 0o755))
	obstacle, err := as.obstacle(inside)
	require.NoError(t, err)
	require.Equal(t, top, obstacle)
	require.NoError(t, os.Chmod(top, 0o711))
	obstacle, err = as.obstacle(inside)
	require.NoError(t, err)
	require.Empty(t, obstacle)
}

// temporary is a directory that is not beneath one of the test's, which nobody else can enter. What
// killed servers leave in it goes with it.
func temporary(t *testing.T) string {
	dir, err := os.MkdirTemp("", "testservers-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

func copyFile(t *testing.T, to, from string) {
	in, err := os.Open(from)
	require.NoError(t, err)
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, err)
	require.NoError(t, out.Close())
}

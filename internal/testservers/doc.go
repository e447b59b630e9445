// Package testservers starts private PostgreSQL and Redis servers for tests and examples, on free
// ports of 127.0.0.1 and in temporary directories.
//
// A test asks for a server of its own, to stop, kill or freeze, or for the one that all
// tests of its binary share:
//
//	func TestMain(m *testing.M) { os.Exit(testservers.Main(m)) }
//
//	pool, err := pgxpool.New(t.Context(), testservers.SharedPostgres(t))
//
// With goleak, TestMain is goleak.VerifyTestMain(testservers.Tests{M: m}). Where a program is missing
// such a test is skipped, or fails if PAIRDB_REQUIRE_SERVERS is set. A program that is
// no test calls StartPostgres and StartRedis, and looks for ErrMissing.
//
// # Invariants
//
//  1. A server does not outlive the process that started it: on Linux the kernel kills it, however that
//     process ends. On other systems a process that is killed leaves its servers behind.
//  2. Servers are signalled by their own process ids alone, never by a name.
//  3. A server that was started again listens where it did before, on the same data. Its ports lie below
//     those that Linux hands to outgoing connections, so that none of these takes the
//     port while the server is down.
//  4. A Start that returned nil has spoken with the very process that it started, not with
//     another that has the port.
//
// # PostgreSQL and root
//
// PostgreSQL refuses to run as root. A root process runs it as the user postgres if there is one,
// else as nobody. Such a user often cannot reach the directory that was given (that of testing.TB's
// TempDir cannot be entered by others): then the data are put into a directory beneath os.TempDir.
//
// Nothing is as it should be where data matter: fsync is off, and everybody on the machine is let in.
package testservers

package storagenode

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Pebble takes the first record that it cannot read, in a manifest or in the last
// 32 KiB of a log, for the torn end that a crash leaves, and forgets what follows.
// Damage in the middle would so be a silent loss. What follows tells the two
// apart, and is looked at here before Pebble opens the store:
//
//   - A log's records say up to which offset the log was synced before them. One
//     that promises more than the offset of the unreadable place proves damage.
//   - A manifest is written and synced record by record, so that a crash tears its
//     last record only. A record that begins after the unreadable place proves
//     damage.
//   - A log is made, durably, before the manifest relies on it, and is deleted after
//     the manifest has gone on to a later one. A store without any such log has
//     lost it, with all that was in no table. Only an opening that a crash cut short
//     may leave one so (openingCutShort).
//
// The format is that of github.com/cockroachdb/pebble/v2/record: blocks of 32 KiB,
// in them chunks of crc (4 bytes), size (2), kind (1); in logs also log number (4)
// and synced offset (8).
const (
	blockBytes          = 32 << 10
	headerBytes         = 7
	logHeaderBytes      = headerBytes + 4 + 8
	kindFull            = 1
	kindFirst           = 2
	kindLast            = 4
	kindLogFull         = 9
	kindLogLast         = 12
	suffixLog           = ".log"
	tagComparer         = 1 // of a version edit's fields
	tagLog              = 2
	crcDelta            = 0xa282ead8
	crcRotation    uint = 15
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// verifyStore returns an error that wraps ErrDamaged if the logs or the manifest
// of Pebble's directory prove damage. A store that is not complete was left by a
// crash while it was made, and may have no log yet. cutShort says that the last opening was
// (openingCutShort).
func verifyStore(fs vfs.FS, dir string, complete bool) (cutShort bool, err error) {
	found, err := pebble.Peek(dir, fs)
	if err != nil {
		return false, err
	}
	if !found.Exists {
		return false, nil
	}
	if err := verifyFile(fs, found.ManifestFilename, nil); err != nil {
		return false, err
	}
	needed, err := neededLog(fs, found.ManifestFilename)
	if err != nil {
		return false, err
	}
	names, err := fs.List(dir)
	if err != nil {
		return false, err
	}
	there := !complete
	for _, name := range names {
		number, ok := strings.CutSuffix(name, suffixLog)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			continue // not one of Pebble's
		}
		there = there || n >= needed
		log := uint32(n) // as it stands in the log's records
		if err := verifyFile(fs, fs.PathJoin(dir, name), &log); err != nil {
			return false, err
		}
	}
	if there {
		return false, nil
	}
	if !openingCutShort(fs, found, needed) {
		return false, fmt.Errorf("%w: %s is missing, and so is every later log",
			ErrDamaged, fs.PathJoin(dir, fmt.Sprintf("%06d%s", needed, suffixLog)))
	}
	return true, nil
}

// openingCutShort reports whether a store without a log may have lost its power while it was opened. Opening moves what is in
// the logs to tables, begins a manifest that names the number of a log to come, deletes the logs, makes the one to come, and
// writes its options to a file. Numbers of files grow, so that they tell it: a log that was needed while the store ran has a
// number beyond its manifest's, and so has the file of options. (But for a manifest that Pebble began anew when it had come
// to 128 MiB: the loss of all logs is not found out then.)
//
// The opening after that has no log to move anything from, and begins no manifest. One that Pebble began later would have a
// greater number than the options, so the store is opened once more (openPebble).
func openingCutShort(fs vfs.FS, found *pebble.DBDesc, needed uint64) bool {
	manifest := numberAfter("MANIFEST-", fs.PathBase(found.ManifestFilename))
	return needed < manifest && numberAfter("OPTIONS-", fs.PathBase(found.OptionsFilename)) < manifest
}

// numberAfter returns the number behind the prefix of a file's name; 0 if there is none.
func numberAfter(prefix, name string) uint64 {
	n, err := strconv.ParseUint(strings.TrimPrefix(name, prefix), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// neededLog returns the number of the first log that a manifest relies on: what
// was in earlier ones is in tables. Each of its records begins with the fields of
// a version edit, of which the comparer's name and the log's number come first.
func neededLog(fs vfs.FS, manifest string) (number uint64, err error) {
	file, err := fs.Open(manifest)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	records := record.NewReader(file, 0)
	for {
		r, err := records.Next()
		if err != nil {
			return number, nil // the end, or what a crash tore: verifyFile has looked
		}
		head := bufio.NewReader(r)
		tag, err := binary.ReadUvarint(head)
		if err == nil && tag == tagComparer {
			if size, sizeErr := binary.ReadUvarint(head); sizeErr != nil || size > blockBytes {
				continue
			} else if _, err = head.Discard(int(size)); err == nil {
				tag, err = binary.ReadUvarint(head)
			}
		}
		if err != nil || tag != tagLog {
			continue
		}
		if n, err := binary.ReadUvarint(head); err == nil {
			number = max(number, n)
		}
	}
}

// verifyFile checks a log of that number, or with nil a manifest.
func verifyFile(fs vfs.FS, name string, log *uint32) error {
	file, err := fs.Open(name)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	data, err := io.ReadAll(file)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if bad, proof, damaged := damage(data, log); damaged {
		return fmt.Errorf("%w: %s cannot be read at offset %d, and the record at offset %d shows that it was on disk", ErrDamaged, name, bad, proof)
	}
	return nil
}

// damage returns where data cannot be read, and where it is proved that it once could.
func damage(data []byte, log *uint32) (bad, proof int, damaged bool) {
	for bad < len(data) {
		if room := blockBytes - bad%blockBytes; room < headerOf(log) {
			bad += room // the rest of a block that has no room for a chunk
			continue
		}
		c, ok := chunkAt(data, bad, log)
		if !ok {
			break
		}
		bad += c.bytes
	}
	for at := candidate(data, bad+1, log); at < len(data); at = candidate(data, at+1, log) {
		c, ok := chunkAt(data, at, log)
		if ok && (log == nil && (c.kind == kindFull || c.kind == kindFirst) || log != nil && c.synced > uint64(bad)) {
			return bad, at, true
		}
	}
	return 0, 0, false
}

// candidate returns the first offset from one on at which a chunk may begin. Each chunk of a log has the log's number, which
// is found much faster than each offset is looked at: what follows a log's last record are megabytes, of zeros or of an
// earlier log (logahead.go).
func candidate(data []byte, at int, log *uint32) int {
	if log == nil || at+headerBytes >= len(data) {
		return at
	}
	next := bytes.Index(data[at+headerBytes:], binary.LittleEndian.AppendUint32(nil, *log))
	if next < 0 {
		return len(data)
	}
	return at + next
}

type chunk struct {
	kind   byte
	bytes  int    // header included
	synced uint64 // in a log
}

func headerOf(log *uint32) int {
	if log != nil {
		return logHeaderBytes
	}
	return headerBytes
}

// chunkAt reads the chunk at an offset; not ok if there is no whole one of that
// file. Logs are reused: a chunk of another number is an earlier log's.
func chunkAt(data []byte, at int, log *uint32) (c chunk, ok bool) {
	header := headerOf(log)
	room := min(len(data)-at, blockBytes-at%blockBytes)
	if room < header {
		return chunk{}, false
	}
	b := data[at:]
	c.kind, c.bytes = b[6], header+int(binary.LittleEndian.Uint16(b[4:]))
	if c.bytes > room {
		return chunk{}, false
	}
	if log == nil {
		ok = kindFull <= c.kind && c.kind <= kindLast
	} else if ok = kindLogFull <= c.kind && c.kind <= kindLogLast && binary.LittleEndian.Uint32(b[headerBytes:]) == *log; ok {
		c.synced = binary.LittleEndian.Uint64(b[headerBytes+4:])
	}
	return c, ok && binary.LittleEndian.Uint32(b) == checksum(b[6:c.bytes])
}

func checksum(b []byte) uint32 {
	crc := crc32.Checksum(b, castagnoli)
	return (crc>>crcRotation | crc<<(32-crcRotation)) + crcDelta
}

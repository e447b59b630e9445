package peers

import "net"

const floorTCPServer = "floor-tcp"

// flushBytes is when answers are sent although more requests are here already: while the
// client works on them, so does the server on those.
const flushBytes = 64 << 10

// An entry is one key's value. Its memory is kept when it is overwritten.
type entry struct{ value []byte }

type echoMap struct{ entries *sharded[*entry] }

func serveFloorTCP([]string) (string, error) {
	m := &echoMap{entries: newSharded[*entry]()}
	return listenAndServe(floorTCPServer, func(l net.Listener) error {
		for {
			conn, err := l.Accept()
			if err != nil {
				return err
			}
			go m.serve(conn)
		}
	})
}

// serve answers a connection's requests in their order: all that one read brought, in one write.
// One goroutine does it all, so a batch costs one wake-up and two system calls.
func (m *echoMap) serve(conn net.Conn) {
	defer conn.Close()
	in := newFrameReader(conn)
	var out []byte
	for {
		frame, err := in.next()
		if err != nil {
			return // the client has gone
		}
		kind, id, key, value, err := parseRequest(frame)
		if err != nil {
			return
		}
		if kind == kindPut {
			m.put(key, value)
			out = appendAnswerHead(out, id, true, 0)
		} else {
			out = m.get(out, id, key)
		}
		if len(out) >= flushBytes || !in.more() {
			if _, err := conn.Write(out); err != nil {
				return
			}
			out = out[:0]
		}
	}
}

func (m *echoMap) put(key, value []byte) {
	s := m.entries.of(key)
	s.mu.Lock()
	e := s.values[string(key)]
	if e == nil {
		e = new(entry)
		s.values[string(key)] = e
	}
	e.value = append(e.value[:0], value...)
	s.mu.Unlock()
}

// get appends the answer, under the lock since put writes over the value.
func (m *echoMap) get(out []byte, id uint32, key []byte) []byte {
	s := m.entries.of(key)
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.values[string(key)]
	if e == nil {
		return appendAnswerHead(out, id, false, 0)
	}
	return append(appendAnswerHead(out, id, true, len(e.value)), e.value...)
}

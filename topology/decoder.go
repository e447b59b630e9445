package topology

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A decoder reads JSON token by token, so that every refusal knows its line, and a
// field that is misspelt, doubled or in another case is refused:
// encoding/json's own mapping does not tell the line, and takes the last of two.
type decoder struct {
	input []byte
	json  *json.Decoder
	path  string // of the value being read, as in ".nodes[2].addr"; empty at the top
}

func newDecoder(text []byte) *decoder {
	d := &decoder{input: text, json: json.NewDecoder(bytes.NewReader(text))}
	d.json.UseNumber()
	return d
}

// wrong returns an error for the token that was read last.
func (d *decoder) wrong(format string, args ...any) error {
	return d.wrongAt(d.json.InputOffset(), fmt.Sprintf(format, args...))
}

func (d *decoder) wrongAt(offset int64, reason string) error {
	before := d.input[:min(offset, int64(len(d.input)))]
	if d.path != "" {
		reason = strings.TrimPrefix(d.path, ".") + ": " + reason
	}
	return &SyntaxError{Line: 1 + bytes.Count(before, []byte("\n")), Reason: reason}
}

func (d *decoder) token() (json.Token, error) {
	token, err := d.json.Token()
	if err == nil {
		return token, nil
	}
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, d.wrongAt(syntax.Offset, syntax.Error())
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, d.wrongAt(int64(len(d.input)), "the text ends too early")
	default:
		return nil, d.wrong("%v", err)
	}
}

// object reads an object whose values are read by fields, and which has all of required.
func (d *decoder) object(required []string, fields map[string]func() error) error {
	if err := d.delim('{'); err != nil {
		return err
	}
	var seen []string
	for d.json.More() {
		token, err := d.token()
		if err != nil {
			return err
		}
		name, _ := token.(string) // JSON has no other kind of name
		read, known := fields[name]
		if !known {
			return d.wrong("there is no field %q", name)
		}
		if slices.Contains(seen, name) {
			return d.wrong("the field %q is there twice", name)
		}
		seen = append(seen, name)
		if err := d.within("."+name, read); err != nil {
			return err
		}
	}
	if _, err := d.token(); err != nil {
		return err
	}
	for _, name := range required {
		if !slices.Contains(seen, name) {
			return d.wrong("the field %q is missing", name)
		}
	}
	return nil
}

// array reads an array; read is called with the place of each element.
func (d *decoder) array(read func(i int) error) error {
	if err := d.delim('['); err != nil {
		return err
	}
	for i := 0; d.json.More(); i++ {
		if err := d.within(fmt.Sprintf("[%d]", i), func() error { return read(i) }); err != nil {
			return err
		}
	}
	_, err := d.token()
	return err
}

// within runs read with step added to the path. An error ends the decoding, so the path
// is put back only without one.
func (d *decoder) within(step string, read func() error) error {
	outer := d.path
	d.path += step
	err := read()
	if err == nil {
		d.path = outer
	}
	return err
}

func (d *decoder) delim(want json.Delim) error {
	token, err := d.token()
	if err != nil {
		return err
	}
	if token != want {
		return d.wrong("the value does not begin with %v", want)
	}
	return nil
}

func (d *decoder) text(to *string) error {
	token, err := d.token()
	if err != nil {
		return err
	}
	s, ok := token.(string)
	if !ok {
		return d.wrong("the value is not a string")
	}
	*to = s
	return nil
}

func (d *decoder) number() (string, error) {
	token, err := d.token()
	if err != nil {
		return "", err
	}
	n, ok := token.(json.Number)
	if !ok {
		return "", d.wrong("the value is not a number")
	}
	return n.String(), nil
}

// end refuses anything but white space after the value.
func (d *decoder) end() error {
	rest := d.input[d.json.InputOffset():]
	if text := bytes.TrimLeft(rest, " \t\r\n"); len(text) > 0 {
		return d.wrongAt(int64(len(d.input)-len(text)), "text after the end of the value")
	}
	return nil
}

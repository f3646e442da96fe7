// What Go makes of templates. Standard input: one line of JSON, the data, then lines {"mode": "text" or "html",
// "template": ...}; each is answered by a line {"output": ..., "error": ...}. tests/diff/template_peer.c is its twin.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	htmltemplate "html/template"
	"os"
	"strings"
	texttemplate "text/template"
	"time"
)

type Alert struct {
	Status   string
	Labels   map[string]string
	StartsAt time.Time
	Value    float64
}

func (a Alert) Upper() string                   { return strings.ToUpper(a.Status) }
func (a Alert) Join(s string, n int) string     { return strings.Repeat(a.Status+s, n) }
func (a Alert) Later(d time.Duration) time.Time { return a.StartsAt.Add(d) }
func (a Alert) Fail() (string, error)           { return "", fmt.Errorf("no luck") }

type Level int

func (l Level) String() string { return fmt.Sprintf("level-%d", int(l)) }

var functions = map[string]any{
	"safeHtml": func(s string) htmltemplate.HTML { return htmltemplate.HTML(s) },
	"safeUrl":  func(s string) htmltemplate.URL { return htmltemplate.URL(s) },
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func integer(v any) int64 {
	n, err := v.(json.Number).Int64()
	must(err)
	return n
}

// The forms {"@strings": ...} and so on, explained in tests/unit/template_cases.txt.
func typed(form string, v any) any {
	switch form {
	case "@strings":
		texts := map[string]string{}
		for key, item := range v.(map[string]any) {
			texts[key] = item.(string)
		}
		return texts
	case "@texts":
		texts := []string{}
		for _, item := range v.([]any) {
			texts = append(texts, item.(string))
		}
		return texts
	case "@time":
		return time.Unix(0, integer(v)).UTC()
	case "@duration":
		return time.Duration(integer(v))
	case "@level":
		return Level(integer(v))
	case "@alert":
		fields := data(v).(map[string]any)
		return Alert{fields["Status"].(string), fields["Labels"].(map[string]string), fields["StartsAt"].(time.Time), fields["Value"].(float64)}
	}
	panic(form)
}

func data(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		f, err := v.Float64()
		must(err)
		return f
	case []any:
		for i := range v {
			v[i] = data(v[i])
		}
		return v
	case map[string]any:
		for key, item := range v {
			if key[0] == '@' {
				return typed(key, item)
			}
			v[key] = data(item)
		}
		return v
	}
	return v
}

func run(mode, text string, dot any) (string, error) {
	var out bytes.Buffer
	if mode == "html" {
		t, err := htmltemplate.New("t").Option("missingkey=zero").Funcs(functions).Parse(text)
		if err == nil {
			err = t.Execute(&out, dot)
		}
		return out.String(), err
	}
	t, err := texttemplate.New("t").Option("missingkey=zero").Funcs(functions).Parse(text)
	if err == nil {
		err = t.Execute(&out, dot)
	}
	return out.String(), err
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	var dot any
	for first := true; in.Scan(); first = false {
		decoder := json.NewDecoder(bytes.NewReader(in.Bytes()))
		decoder.UseNumber()
		if first {
			must(decoder.Decode(&dot))
			dot = data(dot)
			continue
		}
		var c struct{ Mode, Template string }
		must(decoder.Decode(&c))
		output, err := run(c.Mode, c.Template, dot)
		answer := map[string]string{"output": output}
		if err != nil {
			answer["error"] = err.Error()
		}
		line, err := json.Marshal(answer)
		must(err)
		out.Write(line)
		out.WriteByte('\n')
	}
	must(in.Err())
}

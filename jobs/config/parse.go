package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds on a text, far above what a config needs and below what makes the YAML
// parser slow.
const (
	maxDepth = 32 // of nested lists and mappings
	maxKeys  = 10_000
)

// A source is a YAML text: the file, or the value of a flag.
type source struct {
	*report
	text string
	at   func(line int) place
}

// parse gives the tree of the text's single document, or nil after it has
// reported what is wrong.
func (s source) parse() *node {
	before := len(s.faults)
	if s.checkText(); len(s.faults) > before {
		return nil
	}
	body, err := s.document()
	if err != nil {
		s.syntaxFault(err)
	}
	if len(s.faults) > before {
		return nil
	}
	if body == nil {
		return &node{at: s.at(0)}
	}
	root := s.node(body, "")
	if len(s.faults) > before {
		return nil
	}
	return root
}

// checkText reports what the YAML parser would pass over or say unclearly.
func (s source) checkText() {
	for i, line := range strings.Split(s.text, "\n") {
		at := s.at(i + 1)
		indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		switch {
		case !utf8.ValidString(line):
			s.add(at, "", "found bytes that are not UTF-8", "a text file in UTF-8")
		case strings.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }):
			s.add(at, "", "found a control character", "only printable text")
		case strings.Contains(indent, "\t"):
			s.add(at, "", "found a tab in the indentation", "spaces")
		}
	}
}

// document parses the text after its tokens have passed, so that the parser
// meets neither features that are refused nor hostile nesting.
func (s source) document() (body ast.Node, err error) {
	err = contain(func() error {
		tokens := lexer.Tokenize(s.text)
		before := len(s.faults)
		if s.checkTokens(tokens); len(s.faults) > before {
			return nil
		}
		file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
		if err != nil {
			return err
		}
		body = s.only(file.Docs)
		return nil
	})
	return body, err
}

// contain turns a panic of the YAML parser into an error.
func contain(parse func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the parser failed: %v", p)
		}
	}()
	return parse()
}

// only gives the body of the only document; nil when it is empty.
func (s source) only(docs []*ast.DocumentNode) ast.Node {
	if len(docs) > 1 {
		start := docs[1].Start
		if start == nil {
			start = docs[1].Body.GetToken()
		}
		s.add(s.at(start.Position.Line), "", "found a second document", "one document")
	}
	if len(docs) == 0 {
		return nil
	}
	return docs[0].Body
}

var refusedTokens = map[token.Type]string{
	token.AnchorType:     "found an anchor (&)",
	token.AliasType:      "found an alias (*)",
	token.MergeKeyType:   "found a merge key (<<)",
	token.TagType:        "found a tag (!)",
	token.DirectiveType:  "found a directive (%)",
	token.MappingKeyType: "found a complex key (?)",
}

// checkTokens reports refused features and a text beyond the bounds.
func (s source) checkTokens(tokens token.Tokens) {
	brackets, dashes, keys, line := 0, 0, 0, 0
	for _, t := range tokens {
		at := t.Position.Line
		if at != line {
			line, dashes = at, 0
		}
		if found, refused := refusedTokens[t.Type]; refused {
			s.add(s.at(at), "", found, "plain YAML: write the value out, or put the text in quotes")
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			brackets++
		case token.SequenceEndType, token.MappingEndType:
			brackets--
		case token.SequenceEntryType:
			dashes++
		case token.MappingValueType:
			keys++
		}
		switch {
		case brackets > maxDepth || dashes > maxDepth:
			s.add(s.at(at), "", fmt.Sprintf("found lists or mappings nested deeper than %d", maxDepth), "")
			return
		case keys > maxKeys:
			s.add(s.at(at), "", fmt.Sprintf("found more than %d keys", maxKeys), "")
			return
		}
	}
}

func (s source) syntaxFault(err error) {
	at, message := s.at(0), err.Error()
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		message = syntax.GetMessage()
		if t := syntax.GetToken(); t != nil {
			at = s.at(t.Position.Line)
		}
	}
	s.add(at, "", "found text that is not YAML: "+printable(message), "")
}

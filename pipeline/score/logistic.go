package score

import "math"

// logistic is a logistic regression: the margin is the intercept plus a term per
// feature, added in order, numbers first; the probability is 1/(1+e^-margin).
type logistic struct {
	form      string // the kind
	intercept float64
	numbers   []numberTerm
	texts     []textTerm
}

// numberTerm adds (x-mean)/scale*coefficient to the margin.
type numberTerm struct {
	feature     string
	missing     float64 // stands in for null and NaN; NaN where nothing does
	mean, scale float64 // 0 and 1 where the model does not scale
	coefficient float64
}

// textTerm adds the coefficient of a category to the margin.
type textTerm struct {
	feature      string
	vocabulary   vocabulary
	coefficients []float64 // by code, with 0 for an unseen category
}

func (l *logistic) kind() string { return l.form }

// features lists the numbers first.
func (l *logistic) features() []feature {
	all := make([]feature, 0, len(l.numbers)+len(l.texts))
	for _, t := range l.numbers {
		all = append(all, feature{name: t.feature, kind: Number})
	}
	for _, t := range l.texts {
		all = append(all, feature{name: t.feature, kind: Text})
	}
	return all
}

func (l *logistic) newFormula() formula { return l }

func (l *logistic) evaluate(in *inputs, probability []float64) error {
	if err := l.margins(in, probability); err != nil {
		return err
	}
	for row, m := range probability {
		probability[row] = Logistic(m)
	}
	return nil
}

func (l *logistic) margins(in *inputs, margin []float64) error {
	for row := range margin {
		margin[row] = l.intercept
	}
	for i := range l.numbers {
		values, err := in.numbers(i)
		if err != nil {
			return err
		}
		l.numbers[i].add(margin, values, in, i)
	}
	for i := range l.texts {
		input := len(l.numbers) + i
		codes, err := in.categories(input, l.texts[i].vocabulary)
		if err != nil {
			return err
		}
		l.texts[i].add(margin, codes, &in.counts[input])
	}
	return nil
}

func (t *numberTerm) add(margin, values []float64, in *inputs, input int) {
	margin = margin[:len(values)]
	for row, x := range values {
		if x-x != 0 { // NaN or an infinity
			x = t.usable(x, in, input, row)
		}
		margin[row] += float64(t.coefficient * ((x - t.mean) / t.scale))
	}
}

// usable gives what stands in for x, a NaN or an infinity; where nothing does,
// it rejects the row and gives NaN.
func (t *numberTerm) usable(x float64, in *inputs, input, row int) float64 {
	if x == x {
		in.reject(row, input, FeatureNotFinite)
		return math.NaN()
	}
	in.counts[input].Missing++
	if t.missing != t.missing {
		in.reject(row, input, FeatureNull)
	}
	return t.missing
}

func (t *textTerm) add(margin []float64, codes []int32, count *InputCount) {
	margin = margin[:len(codes)]
	unseen, missing := t.vocabulary.unseen(), t.vocabulary.missing()
	for row, code := range codes {
		margin[row] += t.coefficients[code]
		switch code {
		case unseen:
			count.Unseen++
		case missing:
			count.Missing++
		}
	}
}

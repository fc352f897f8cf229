// A logistic model as SQL, so that DuckDB can say what churntier should compute.
const duck = require('./duck');

// probability gives the SQL expression of a model, either form: a DOUBLE, null
// where the plain form meets a null.
exports.probability = (model) => {
  const terms = model.kind === 'logistic_regression_pipeline' ? pipeline(model) : plain(model);
  return `1.0::DOUBLE / (1.0::DOUBLE + exp(-(${[number(model.intercept), ...terms].join(' + ')})))`;
};

// score and category give the SQL expressions of the score in hundredths and of
// its default category, from that of the probability.
exports.score = (p) => `CAST(round(10000.0::DOUBLE * (${p})) AS INTEGER)`;
exports.category = (s) => `CASE WHEN ${s} >= 7500 THEN 'high' WHEN ${s} >= 5000 THEN 'medium' ELSE 'low' END`;

function plain({ features, coefficients }) {
  return features.map((f, i) => `${number(coefficients[i])} * ${duck.name(f)}::DOUBLE`);
}

function pipeline({ numeric, categorical }) {
  return [
    ...numeric.map((n) => `(${present(n)} - ${number(n.mean)}) / ${number(n.scale)} * ${number(n.coef)}`),
    ...categorical.map(lookup),
  ];
}

// present gives a number, or the median for a null or NaN.
const present = ({ name, median }) => `coalesce(nullif(${duck.name(name)}::DOUBLE, 'nan'::DOUBLE), ${number(median)})`;

// lookup gives the coefficient of a category, or 0 for one the model does not know.
function lookup({ name, missing, coef }) {
  const cases = Object.entries(coef).map(([value, c]) => `WHEN ${duck.text(value)} THEN ${number(c)}`);
  return `CASE coalesce(${duck.name(name)}, ${duck.text(missing)}) ${cases.join(' ')} ELSE 0.0::DOUBLE END`;
}

// number writes a float as SQL reads it back to the last bit; a plain literal
// would be a decimal.
const number = (x) => `'${x}'::DOUBLE`;

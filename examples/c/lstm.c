/* The LSTM and its gradients, from the equations of torch.nn.LSTM, for numbers of the type REAL.

       i = sigmoid(W_ii x + b_ii + W_hi h' + b_hi)      input gate
       f = sigmoid(W_if x + b_if + W_hf h' + b_hf)      forget gate
       g =    tanh(W_ig x + b_ig + W_hg h' + b_hg)      candidate
       o = sigmoid(W_io x + b_io + W_ho h' + b_ho)      output gate
       c = f * c' + i * g                               cell state; h' and c' are of the last step
       m = o * tanh(c)
       h = m, or W_hr m with a projection               hidden state

   The file has, from top to bottom: one step, one direction, a stack of layers over one sequence,
   and a batch. The rows of a batch are computed one by one. So rows of unequal length need no more
   code: a row of T steps gets the results that its T steps give alone.

   H hidden units, R features of h (proj_size with a projection, otherwise H), D directions, T
   steps. Matrices are stored row by row. A name that starts with d is a gradient.

   runner.c includes this file twice, with REAL as float and as double. tgmath.h makes exp and tanh
   functions of that type. The names below get a suffix, so that the two versions differ. */

/* The order of the gates in weights and biases: blocks of H rows. */
#define INPUT_GATE 0
#define FORGET_GATE 1
#define CANDIDATE 2
#define OUTPUT_GATE 3

#define Weights TYPED(Weights)
#define Trace TYPED(Trace)
#define Layer TYPED(Layer)
#define sigmoid TYPED(sigmoid)
#define dot TYPED(dot)
#define step TYPED(step)
#define step_backward TYPED(step_backward)
#define direction TYPED(direction)
#define direction_backward TYPED(direction_backward)
#define drop TYPED(drop)
#define stack TYPED(stack)
#define stack_backward TYPED(stack_backward)
#define parameter TYPED(parameter)
#define layers_of TYPED(layers_of)
#define copy_row TYPED(copy_row)
#define lstm TYPED(lstm)

/* The parameters of one layer in one direction, or their gradients. */
typedef struct {
    size_t inputs, H, R;
    REAL *W_ih; /* (4H, inputs) */
    REAL *W_hh; /* (4H, R) */
    REAL *b_ih; /* (4H), NULL without biases */
    REAL *b_hh; /* (4H), NULL without biases */
    REAL *W_hr; /* (R, H), NULL without a projection */
} Weights;

/* The values of one direction, in the order in which it read the steps. */
typedef struct {
    REAL *gates; /* (T, 4H) */
    REAL *c;     /* (T + 1, H): the initial cell state, then c of each step */
    REAL *m;     /* (T, H) */
    REAL *h;     /* (T + 1, R): the initial hidden state, then h of each step */
} Trace;

/* ---------------------------------------------------------------- one step */

static REAL sigmoid(REAL x)
{
    return 1 / (1 + exp(-x));
}

static REAL dot(const REAL *x, const REAL *y, size_t n)
{
    REAL sum = 0;
    for (size_t j = 0; j < n; j++)
        sum += x[j] * y[j];
    return sum;
}

/* One step: from x (inputs), h_before (R), c_before (H) to gates (4H), c (H), m (H) and h (R). */
static void step(const Weights *w, const REAL *x, const REAL *h_before, const REAL *c_before,
                 REAL *gates, REAL *c, REAL *m, REAL *h)
{
    const size_t H = w->H, R = w->R;
    for (size_t k = 0; k < 4 * H; k++) {
        REAL a = dot(w->W_ih + k * w->inputs, x, w->inputs) + dot(w->W_hh + k * R, h_before, R);
        if (w->b_ih)
            a += w->b_ih[k] + w->b_hh[k];
        gates[k] = k / H == CANDIDATE ? tanh(a) : sigmoid(a);
    }
    const REAL *i = gates + INPUT_GATE * H, *f = gates + FORGET_GATE * H;
    const REAL *g = gates + CANDIDATE * H, *o = gates + OUTPUT_GATE * H;
    for (size_t u = 0; u < H; u++) {
        c[u] = f[u] * c_before[u] + i[u] * g[u];
        m[u] = o[u] * tanh(c[u]);
    }
    for (size_t r = 0; r < R; r++)
        h[r] = w->W_hr ? dot(w->W_hr + r * H, m, H) : m[r];
}

/* The backward pass of a step. dh (R) and dc (H) are the gradients of h and c, and become those of
   h_before and c_before. The gradients of x (inputs) and of the weights are added to dx and dw. The
   gates are overwritten by the gradients of their preactivations. */
static void step_backward(const Weights *w, const Weights *dw, const REAL *x, REAL *dx,
                          const REAL *h_before, const REAL *c_before, REAL *gates, const REAL *c,
                          const REAL *m, REAL *dh, REAL *dc)
{
    const size_t H = w->H, R = w->R;
    REAL *gate_i = gates + INPUT_GATE * H, *gate_f = gates + FORGET_GATE * H;
    REAL *gate_g = gates + CANDIDATE * H, *gate_o = gates + OUTPUT_GATE * H;
    for (size_t u = 0; u < H; u++) {
        const REAL i = gate_i[u], f = gate_f[u], g = gate_g[u], o = gate_o[u], tanh_c = tanh(c[u]);
        REAL dm = w->W_hr ? 0 : dh[u];
        for (size_t r = 0; w->W_hr && r < R; r++)
            dm += dh[r] * w->W_hr[r * H + u];
        const REAL dc_here = dc[u] + dm * o * (1 - tanh_c * tanh_c); /* h depends on c too */
        gate_i[u] = dc_here * g * i * (1 - i); /* sigmoid' = sigmoid (1 - sigmoid) */
        gate_f[u] = dc_here * c_before[u] * f * (1 - f);
        gate_g[u] = dc_here * i * (1 - g * g); /* tanh' = 1 - tanh^2 */
        gate_o[u] = dm * tanh_c * o * (1 - o);
        dc[u] = dc_here * f;
    }
    const REAL *da = gates;
    for (size_t r = 0; r < R; r++) {
        for (size_t u = 0; w->W_hr && u < H; u++)
            dw->W_hr[r * H + u] += dh[r] * m[u];
        dh[r] = 0;
    }
    for (size_t k = 0; k < 4 * H; k++) {
        for (size_t j = 0; j < w->inputs; j++) {
            dx[j] += da[k] * w->W_ih[k * w->inputs + j];
            dw->W_ih[k * w->inputs + j] += da[k] * x[j];
        }
        for (size_t r = 0; r < R; r++) {
            dh[r] += da[k] * w->W_hh[k * R + r];
            dw->W_hh[k * R + r] += da[k] * h_before[r];
        }
        if (w->b_ih) {
            dw->b_ih[k] += da[k];
            dw->b_hh[k] += da[k];
        }
    }
}

/* ------------------------------------------------- one layer in one direction */

/* One layer in one direction. The reverse direction reads x (T, inputs) from the last step to the
   first. The h of step t is written to row t of y (T, y_width). */
static void direction(const Weights *w, const Trace *trace, bool reverse, size_t T, const REAL *x,
                      REAL *y, size_t y_width)
{
    const size_t H = w->H, R = w->R;
    for (size_t s = 0; s < T; s++) {
        const size_t t = reverse ? T - 1 - s : s;
        REAL *h = trace->h + (s + 1) * R;
        step(w, x + t * w->inputs, trace->h + s * R, trace->c + s * H, trace->gates + s * 4 * H,
             trace->c + (s + 1) * H, trace->m + s * H, h);
        memcpy(y + t * y_width, h, R * sizeof(REAL));
    }
}

/* The backward pass of a direction. dh (R) and dc (H) are the gradients of the final states, and
   become those of the initial states. The other gradients are added to dx (T, inputs) and dw. */
static void direction_backward(const Weights *w, const Weights *dw, const Trace *trace,
                               bool reverse, size_t T, const REAL *x, REAL *dx, const REAL *dy,
                               size_t y_width, REAL *dh, REAL *dc)
{
    const size_t H = w->H, R = w->R;
    for (size_t s = T; s-- > 0;) {
        const size_t t = reverse ? T - 1 - s : s;
        for (size_t r = 0; r < R; r++)
            dh[r] += dy[t * y_width + r]; /* h is an output, and the next step reads it */
        step_backward(w, dw, x + t * w->inputs, dx + t * w->inputs, trace->h + s * R,
                      trace->c + s * H, trace->gates + s * 4 * H, trace->c + (s + 1) * H,
                      trace->m + s * H, dh, dc);
    }
}

/* ------------------------------------------------- all layers over one sequence */

/* A layer. One more element follows the last layer; its x is the output of the stack. */
typedef struct {
    REAL *x, *dx; /* (T, inputs) */
    Weights w[2], dw[2];
    Trace trace[2];
} Layer;

/* With dropout=1, makes the input of layer l, or its gradient, zero. */
static void drop(const Case *c, size_t l, size_t T, REAL *between)
{
    if (l > 0 && c->drops_all)
        for (size_t j = 0; j < T * c->directions * c->output_size; j++)
            between[j] *= 0;
}

/* All layers. The input and the initial states are already in the layers. */
static void stack(const Case *c, Layer *layers, size_t T)
{
    const size_t D = c->directions, R = c->output_size;
    for (size_t l = 0; l < c->num_layers; l++) {
        Layer *layer = &layers[l];
        drop(c, l, T, layer->x);
        for (size_t d = 0; d < D; d++)
            direction(&layer->w[d], &layer->trace[d], d == 1, T, layer->x, layers[l + 1].x + d * R,
                      D * R);
    }
}

/* The backward pass of a stack. The gradient of the output is already in the layers. dh_n and dc_n
   point to the gradients of the row's final states in the first layer and direction; those of the
   next are dh_step and dc_step further. They become the gradients of the initial states. */
static void stack_backward(const Case *c, Layer *layers, size_t T, REAL *dh_n, size_t dh_step,
                           REAL *dc_n, size_t dc_step)
{
    const size_t D = c->directions, R = c->output_size;
    for (size_t l = c->num_layers; l-- > 0;) {
        Layer *layer = &layers[l];
        memset(layer->dx, 0, T * layer->w[0].inputs * sizeof(REAL));
        for (size_t d = 0; d < D; d++) {
            const size_t k = l * D + d;
            direction_backward(&layer->w[d], &layer->dw[d], &layer->trace[d], d == 1, T, layer->x,
                               layer->dx, layers[l + 1].dx + d * R, D * R, dh_n + k * dh_step,
                               dc_n + k * dc_step);
        }
        drop(c, l, T, layer->dx);
    }
}

/* ------------------------------------------------------------------ a batch */

/* A parameter of a layer and direction, and the memory for its gradient. */
static void parameter(const Case *c, const char *role, size_t l, size_t d, Shape shape, REAL **w,
                      REAL **dw)
{
    char name[64];
    snprintf(name, sizeof name, "%s_l%zu%s", role, l, d ? "_reverse" : "");
    *w = given(c, name, shape);
    if (c->gradients)
        *dw = gradient(c, name, shape);
}

/* All layers and one more element, with memory for sequences of up to seq_len steps. */
static Layer *layers_of(const Case *c)
{
    const size_t L = c->seq_len, H = c->hidden_size, R = c->output_size, D = c->directions;
    Layer *layers = zeros(c->num_layers + 1, sizeof(Layer));
    for (size_t l = 0; l <= c->num_layers; l++) {
        const size_t inputs = l == 0 ? c->input_size : D * R;
        Layer *layer = &layers[l];
        layer->x = zeros(L * inputs, sizeof(REAL));
        layer->dx = zeros(L * inputs, sizeof(REAL));
        for (size_t d = 0; l < c->num_layers && d < D; d++) {
            Weights *w = &layer->w[d], *dw = &layer->dw[d];
            *w = *dw = (Weights){.inputs = inputs, .H = H, .R = R};
            parameter(c, "weight_ih", l, d, matrix(4 * H, inputs), &w->W_ih, &dw->W_ih);
            parameter(c, "weight_hh", l, d, matrix(4 * H, R), &w->W_hh, &dw->W_hh);
            if (c->bias) {
                parameter(c, "bias_ih", l, d, vector(4 * H), &w->b_ih, &dw->b_ih);
                parameter(c, "bias_hh", l, d, vector(4 * H), &w->b_hh, &dw->b_hh);
            }
            if (c->proj_size)
                parameter(c, "weight_hr", l, d, matrix(R, H), &w->W_hr, &dw->W_hr);
            layer->trace[d] = (Trace){
                .gates = zeros(L * 4 * H, sizeof(REAL)),
                .c = zeros((L + 1) * H, sizeof(REAL)),
                .m = zeros(L * H, sizeof(REAL)),
                .h = zeros((L + 1) * R, sizeof(REAL)),
            };
        }
    }
    return layers;
}

/* Copies the first T steps of row n between a tensor of the batch and a sequence (T, features). */
static void copy_row(const Case *c, size_t n, size_t T, size_t features, REAL *batch,
                     REAL *sequence, bool to_batch)
{
    for (size_t t = 0; t < T; t++) {
        const size_t place = c->batch_first ? n * c->seq_len + t : t * c->batch_size + n;
        REAL *there = batch + place * features, *here = sequence + t * features;
        memcpy(to_batch ? there : here, to_batch ? here : there, features * sizeof(REAL));
    }
}

/* The LSTM. Reads the arguments and writes the results, which are zeros before. */
static void lstm(const Case *c)
{
    const size_t N = c->batch_size, H = c->hidden_size, R = c->output_size, D = c->directions;
    const Shape input_shape = sequence_shape(c, c->input_size);
    const Shape output_shape = sequence_shape(c, D * R);
    const Shape h_shape = state_shape(c, R), c_shape = state_shape(c, H);

    Layer *layers = layers_of(c);
    Layer *bottom = &layers[0], *above = &layers[c->num_layers];
    REAL *input = given(c, "input", input_shape);
    REAL *h_0 = c->states ? given(c, "h_0", h_shape) : zeros(count(h_shape), sizeof(REAL));
    REAL *c_0 = c->states ? given(c, "c_0", c_shape) : zeros(count(c_shape), sizeof(REAL));
    REAL *output = result(c, "output", output_shape);
    REAL *h_n = result(c, "h_n", h_shape), *c_n = result(c, "c_n", c_shape);

    /* dh and dc are first the gradients of the final states, then of the initial states. */
    REAL *doutput = NULL, *dinput = NULL, *dh = NULL, *dc = NULL;
    if (c->gradients) {
        doutput = cotangent(c, "output", output_shape);
        dinput = gradient(c, "input", input_shape);
        dh = cotangent(c, "h_n", h_shape);
        dc = cotangent(c, "c_n", c_shape);
    }

    for (size_t n = 0; n < N; n++) {
        const size_t T = c->lengths[n];
        copy_row(c, n, T, c->input_size, input, bottom->x, false);
        for (size_t k = 0; k < c->num_layers * D; k++) {
            const Trace *trace = &layers[k / D].trace[k % D];
            memcpy(trace->h, h_0 + (k * N + n) * R, R * sizeof(REAL));
            memcpy(trace->c, c_0 + (k * N + n) * H, H * sizeof(REAL));
        }
        stack(c, layers, T);
        copy_row(c, n, T, D * R, output, above->x, true);
        for (size_t k = 0; k < c->num_layers * D; k++) {
            const Trace *trace = &layers[k / D].trace[k % D];
            memcpy(h_n + (k * N + n) * R, trace->h + T * R, R * sizeof(REAL));
            memcpy(c_n + (k * N + n) * H, trace->c + T * H, H * sizeof(REAL));
        }
        if (c->gradients) {
            copy_row(c, n, T, D * R, doutput, above->dx, false);
            stack_backward(c, layers, T, dh + n * R, N * R, dc + n * H, N * H);
            copy_row(c, n, T, c->input_size, dinput, bottom->dx, true);
        }
    }
    if (c->gradients && c->states) {
        memcpy(gradient(c, "h_0", h_shape), dh, count(h_shape) * sizeof(REAL));
        memcpy(gradient(c, "c_0", c_shape), dc, count(c_shape) * sizeof(REAL));
    }
}

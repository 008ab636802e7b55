// The fused optimizer kernels: the updates of common optimizers, step by step as the planner makes them from the formulas in
// Sources/GraftLearning/Optimizers. Each line of steps is code in body/optimizer.h, and a table in optimizer_match.c that
// programs are compared with. A program that matches none is interpreted, with the same result.
//
// OPTIMIZER(name, arrays, scalars, results, leaves, steps, outputs, on_zero_gradient): values are numbered, arrays first, then
// scalars, then steps. Array 0 is the gradient, the last one the weight, those between are the state; the results replace
// state and weight in their order. `on_zero_gradient` is what happens where the gradient is zero: UPDATES, any change;
// NO_OP(ε), none; DECAYS_STATE(array, scalar, ε), the array is multiplied by the scalar. ε is the scalar that must be positive
// for that, −1 where nothing is divided.

// w − η · g
OPTIMIZER(descent, 2, 1, 1,
          ARRAY(0, 0) ARRAY(1, 1) SCALAR(2, 0),
          TWO(3, multiply, 2, 0) TWO(4, subtract, 1, 3),
          RESULT(0, 4), NO_OP(-1))

// Descent with momentum: gradient, velocity, weight; η, µ
OPTIMIZER(momentum, 3, 2, 2,
          ARRAY(0, 0) ARRAY(1, 1) ARRAY(2, 2) SCALAR(3, 0) SCALAR(4, 1),
          TWO(5, multiply, 3, 0) TWO(6, multiply, 4, 1) TWO(7, subtract, 6, 5) TWO(8, add, 2, 7),
          RESULT(0, 7) RESULT(1, 8), UPDATES)

// Nesterov's: as momentum
OPTIMIZER(nesterov, 3, 2, 2,
          ARRAY(0, 0) ARRAY(1, 1) ARRAY(2, 2) SCALAR(3, 0) SCALAR(4, 1),
          TWO(5, multiply, 3, 0) TWO(6, multiply, 4, 1) TWO(7, subtract, 6, 5) TWO(8, multiply, 4, 7)
          TWO(9, subtract, 8, 5) TWO(10, add, 2, 9),
          RESULT(0, 7) RESULT(1, 10), UPDATES)

// Gradient, sum of squares, weight; η, ε
OPTIMIZER(adagrad, 3, 2, 2,
          ARRAY(0, 0) ARRAY(1, 1) ARRAY(2, 2) SCALAR(3, 0) SCALAR(4, 1),
          ONE(5, square, 0) TWO(6, add, 1, 5) TWO(7, multiply, 3, 0) TWO(8, add, 6, 4) ONE(9, square_root, 8)
          TWO(10, divide, 7, 9) TWO(11, subtract, 2, 10),
          RESULT(0, 6) RESULT(1, 11), NO_OP(1))

// Gradient, mean of squares, weight; ρ, 1 − ρ, η, ε
OPTIMIZER(rmsprop, 3, 4, 2,
          ARRAY(0, 0) ARRAY(1, 1) ARRAY(2, 2) SCALAR(3, 0) SCALAR(4, 1) SCALAR(5, 2) SCALAR(6, 3),
          TWO(7, multiply, 3, 1) ONE(8, square, 0) TWO(9, multiply, 4, 8) TWO(10, add, 7, 9) TWO(11, multiply, 5, 0)
          TWO(12, add, 10, 6) ONE(13, square_root, 12) TWO(14, divide, 11, 13) TWO(15, subtract, 2, 14),
          RESULT(0, 10) RESULT(1, 15), DECAYS_STATE(1, 0, 3))

// Gradient, mean of squares, momentum, weight; ρ, 1 − ρ, η, ε, µ
OPTIMIZER(rmsprop_momentum, 4, 5, 3,
          ARRAY(0, 0) ARRAY(1, 1) ARRAY(2, 2) ARRAY(3, 3) SCALAR(4, 0) SCALAR(5, 1) SCALAR(6, 2) SCALAR(7, 3) SCALAR(8, 4),
          TWO(9, multiply, 4, 1) ONE(10, square, 0) TWO(11, multiply, 5, 10) TWO(12, add, 9, 11) TWO(13, multiply, 6, 0)
          TWO(14, add, 12, 7) ONE(15, square_root, 14) TWO(16, divide, 13, 15) TWO(17, multiply, 8, 2) TWO(18, add, 17, 16)
          TWO(19, subtract, 3, 18),
          RESULT(0, 12) RESULT(1, 18) RESULT(2, 19), UPDATES)

// Gradient, mean, mean of squares, weight; 1 − β₁, 1 − β₂, the rate with its corrections, ε
OPTIMIZER(adam, 4, 4, 3,
          ARRAY(0, 0) ARRAY(1, 1) ARRAY(2, 2) ARRAY(3, 3) SCALAR(4, 0) SCALAR(5, 1) SCALAR(6, 2) SCALAR(7, 3),
          TWO(8, subtract, 0, 1) TWO(9, multiply, 4, 8) TWO(10, add, 1, 9) ONE(11, square, 0) TWO(12, subtract, 11, 2)
          TWO(13, multiply, 5, 12) TWO(14, add, 2, 13) TWO(15, multiply, 6, 10) ONE(16, square_root, 14)
          TWO(17, add, 16, 7) TWO(18, divide, 15, 17) TWO(19, subtract, 3, 18),
          RESULT(0, 10) RESULT(1, 14) RESULT(2, 19), UPDATES)

// As Adam, with λ · η before the rate
OPTIMIZER(adamw, 4, 5, 3,
          ARRAY(0, 0) ARRAY(1, 1) ARRAY(2, 2) ARRAY(3, 3) SCALAR(4, 0) SCALAR(5, 1) SCALAR(6, 2) SCALAR(7, 3) SCALAR(8, 4),
          TWO(9, subtract, 0, 1) TWO(10, multiply, 4, 9) TWO(11, add, 1, 10) ONE(12, square, 0) TWO(13, subtract, 12, 2)
          TWO(14, multiply, 5, 13) TWO(15, add, 2, 14) TWO(16, multiply, 3, 6) TWO(17, subtract, 3, 16)
          TWO(18, multiply, 7, 11) ONE(19, square_root, 15) TWO(20, add, 19, 8) TWO(21, divide, 18, 20)
          TWO(22, subtract, 17, 21),
          RESULT(0, 11) RESULT(1, 15) RESULT(2, 22), UPDATES)

// As Adam; 1 − β₁, 1 − β₂, the factors of mean and gradient, η, the correction of the mean of squares, ε
OPTIMIZER(nadam, 4, 7, 3,
          ARRAY(0, 0) ARRAY(1, 1) ARRAY(2, 2) ARRAY(3, 3) SCALAR(4, 0) SCALAR(5, 1) SCALAR(6, 2) SCALAR(7, 3) SCALAR(8, 4)
          SCALAR(9, 5) SCALAR(10, 6),
          TWO(11, subtract, 0, 1) TWO(12, multiply, 4, 11) TWO(13, add, 1, 12) ONE(14, square, 0) TWO(15, subtract, 14, 2)
          TWO(16, multiply, 5, 15) TWO(17, add, 2, 16) TWO(18, multiply, 6, 13) TWO(19, multiply, 7, 0) TWO(20, add, 18, 19)
          TWO(21, multiply, 8, 20) TWO(22, divide, 17, 9) ONE(23, square_root, 22) TWO(24, add, 23, 10)
          TWO(25, divide, 21, 24) TWO(26, subtract, 3, 25),
          RESULT(0, 13) RESULT(1, 17) RESULT(2, 26), UPDATES)

// Gradient, mean, weight; β₂, 1 − β₂, β₁, 1 − β₁, η
OPTIMIZER(lion, 3, 5, 2,
          ARRAY(0, 0) ARRAY(1, 1) ARRAY(2, 2) SCALAR(3, 0) SCALAR(4, 1) SCALAR(5, 2) SCALAR(6, 3) SCALAR(7, 4),
          TWO(8, multiply, 3, 1) TWO(9, multiply, 4, 0) TWO(10, add, 8, 9) TWO(11, multiply, 5, 1) TWO(12, multiply, 6, 0)
          TWO(13, add, 11, 12) ONE(14, sign, 13) TWO(15, multiply, 7, 14) TWO(16, subtract, 2, 15),
          RESULT(0, 10) RESULT(1, 16), UPDATES)

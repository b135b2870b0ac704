"""Erlang's, Poisson's and Student's laws with all their digits, however far out."""

import numpy as np

__all__ = [
    "log_poisson_mass",
    "log_waiting",
    "stirling_error",
    "student_quantile",
    "upper_gamma",
]


def log_waiting(servers, load):
    """Logarithm of C on plain arrays, for a load of at most `servers`."""
    log_mass = log_poisson_mass(servers, load)
    log_spare = np.log((servers - load) / servers) + np.log(upper_gamma(servers, load))
    return log_mass - np.logaddexp(log_mass, log_spare)


def upper_gamma(servers, load):
    """Regularised upper incomplete gamma function, for a load of at most `servers`."""
    from scipy.special import erfc, gammaincc

    value = gammaincc(servers, load)
    # SciPy ends its series after 2000 terms, too soon where so many servers have
    # much to spare; Temme's uniform expansion needs only its first term there
    many = (servers > 1e5) & (load < servers - 4 * np.sqrt(servers))
    if many.any():
        deviance = _deviance(servers, load)
        eta = -np.sqrt(-2 * deviance)
        rest = np.exp(servers * deviance - 0.5 * np.log(servers) - _HALF_LOG)
        rest *= servers / (load - servers) - 1 / eta
        value = np.where(many, erfc(eta * np.sqrt(servers / 2)) / 2 + rest, value)
    return value


_HALF_LOG = 0.5 * np.log(2 * np.pi)
_ATANH = [1 / power for power in range(23, 1, -2)]
_STIRLING = [1 / 156, -691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12]


def log_poisson_mass(count, mean):
    """Log of the Poisson mass at a real count, by its saddle point."""
    scale = stirling_error(count) + 0.5 * np.log(count) + _HALF_LOG
    return count * _deviance(count, mean) - scale


def _deviance(count, mean):
    """Log of the ratio of the mean to the count, plus 1, less that ratio."""
    gap = (mean - count) / count
    # the series of twice the artanh where both nearly cancel, the plain logarithm
    # where 1 + gap would lose the digits of a small mean
    half = gap / (2 + gap)
    square = half * half
    near = half * (2 * square * _polynomial(square, _ATANH) - gap)
    return np.where(np.abs(gap) < 0.3, near, np.log(mean / count) - gap)


def stirling_error(count):
    """Log of count! less its Stirling approximation."""
    from scipy.special import gammaln

    many = np.maximum(count, 10)
    error = np.array(_polynomial(1 / (many * many), _STIRLING) / many)
    few = count < 10
    if few.any():
        small = count[few]
        approximation = (small + 0.5) * np.log(small) - small + _HALF_LOG
        error[few] = gammaln(small + 1) - approximation
    return error


def student_quantile(freedom, prob):
    """Quantile of Student's law, on plain arrays.

    SciPy before 1.17 gives ten digits of it, and no number at its ends; a step of
    Newton's gives the other digits.
    """
    from scipy.special import gammaln, stdtr, stdtrit

    score = np.where((prob > 0) & (prob < 1), stdtrit(freedom, prob), np.inf)
    below, tail = -np.abs(score), np.minimum(prob, 1 - prob)
    half = (freedom + 1) / 2
    log_density = gammaln(half) - gammaln(freedom / 2) - np.log(freedom * np.pi) / 2
    with np.errstate(all="ignore"):  # at the ends, where there is no step
        log_density = log_density - half * np.log1p(below * below / freedom)
        step = (stdtr(freedom, below) - tail) / np.exp(log_density)
    below = below - np.where(np.isfinite(step), step, 0)
    return np.where(prob < 0.5, below, -below)


def _polynomial(at, coefficients):
    """Value of a polynomial, highest power first, in one array of scratch."""
    if not np.ndim(at):  # the same steps, without NumPy's cost for one number
        number, value = float(at), coefficients[0]
        for coefficient in coefficients[1:]:
            value = value * number + coefficient
        return value
    value = np.full_like(at, coefficients[0])
    for coefficient in coefficients[1:]:
        value *= at
        value += coefficient
    return value

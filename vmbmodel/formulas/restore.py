r"""Getting the data back: wait, copy, create the VM; and how old the data is."""

import numpy as np

from vmbmodel._arrays import formula
from vmbmodel.formulas._kernels.special import student_quantile

__all__ = [
    "batch_restore_h",
    "mean_point_age_h",
    "restore_copy_h",
    "restore_h",
    "restore_quantile_h",
    "restore_within_prob",
    "worst_point_age_h",
]


@formula
def restore_copy_h(restored_gib, restore_mib_s, cap_mib_s):
    r"""Time to copy one disk from the vault to a storage account.

    .. math:: T = \frac{1024\, S}{3600 \min(v, r)}

    Parameters
    ----------
    cap_mib_s : what a single blob takes, :math:`r`

    Notes
    -----
    Valid for a target account that serves nothing else meanwhile; several disks
    that share an account are the business of `completion_h`.

    References
    ----------
    Microsoft (2018), "Restore considerations", :cite:`article2018`.

    Examples
    --------
    >>> print(restore_copy_h(128, restore_mib_s=28.61, cap_mib_s=60))
    1.2726
    """
    return restored_gib * 1024 / np.minimum(restore_mib_s, cap_mib_s) / 3600


@formula
def restore_h(wait_h, copy_h, vm_creation_h):
    r"""Time from the request to a VM that runs.

    .. math:: T = W + T_\text{copy} + T_\text{VM}

    Parameters
    ----------
    wait_h : time in line for a data mover, :math:`W`
    copy_h : copying of the slowest disk, :math:`T_\text{copy}`
    vm_creation_h : Zero when only disks are restored.

    Notes
    -----
    For the distribution of the time, give copy and creation as the fixed part
    of `total_quantile_h`.

    References
    ----------
    Microsoft (2018), "Restore considerations", :cite:`article2018`.

    Examples
    --------
    >>> print(restore_h(wait_h=0.5, copy_h=1.25, vm_creation_h=0.1))
    1.85
    """
    return wait_h + copy_h + vm_creation_h


@formula
def restore_quantile_h(prob, restore_p50_h, restore_log_sd, restore_sample, beyond_h=0):
    r"""Time of a restore from the vault that a share of them does not exceed.

    .. math:: t_p = (m + b) \exp\left( s \sqrt{1 + \frac1n}\; t_{n-1}(p) \right)

    with the quantile :math:`t_{n-1}` of Student's law.

    Parameters
    ----------
    restore_p50_h : Wait and creation of the VM included.
    beyond_h : Nothing for a VM no larger than those of the sample.

    See Also
    --------
    restore_within_prob : the inverse.

    Notes
    -----
    The prediction of one more lognormal time from a sample of them. Of 43 published
    restores of 30 to 192 GB, each predicted from the other 42, 34 lay between the
    quantiles of 10 and 90 %, and a law with their size in it did no better. Beyond
    the largest, where the copy takes longer, no restore is published.

    References
    ----------
    Hahn and Meeker (1991), ch. 4, :cite:`hahn1991`, for the prediction; Microsoft
    Japan (2022), :cite:`jpcss2022`, for the restores.

    Examples
    --------
    The restores of the chart, in minutes:

    >>> print((60 * restore_quantile_h([0.1, 0.5, 0.9], 33.7 / 60, 0.5, 43)).round(1))
    [17.4 33.7 65.1]
    """
    spread = restore_log_sd * np.sqrt(1 + 1 / restore_sample)
    score = student_quantile(restore_sample - 1, prob)
    sure = np.where(spread > 0, spread * score, 0)
    return (restore_p50_h + beyond_h) * np.exp(sure)


@formula
def restore_within_prob(
    rto_h, restore_p50_h, restore_log_sd, restore_sample, beyond_h=0
):
    r"""Probability that a restore from the vault is over within an objective.

    .. math:: P(T \le t) = F_{n-1}\left(
        \frac{\ln t - \ln (m + b)}{s \sqrt{1 + 1/n}} \right)

    with Student's law :math:`F_{n-1}`.

    Parameters
    ----------
    restore_p50_h : Wait and creation of the VM included.
    beyond_h : Nothing for a VM no larger than those of the sample.

    See Also
    --------
    restore_quantile_h : the inverse, and what it rests on.

    Notes
    -----
    As good as `restore_quantile_h`. Of 43 restores a chance below one in fifty is
    that of the law, and not theirs.

    References
    ----------
    As `restore_quantile_h`, :cite:`hahn1991,jpcss2022`.

    Examples
    --------
    >>> print(restore_within_prob([0.5, 1, 4], 33.7 / 60, 0.5, 43).round(3))
    [0.41 0.87 1.  ]
    """
    from scipy.special import stdtr

    spread = restore_log_sd * np.sqrt(1 + 1 / restore_sample)
    median = restore_p50_h + beyond_h
    gap = np.log(rto_h) - np.log(median)
    score = np.where(spread > 0, gap / np.where(spread > 0, spread, 1), np.inf)
    score = np.where((spread > 0) | (gap >= 0), score, -np.inf)
    return stdtr(restore_sample - 1, score)


@formula
def batch_restore_h(
    restore_vms,
    restore_disks,
    restored_gib,
    cap_mib_s,
    restore_accounts,
    capacity_mib_s,
    vault_servers,
):
    r"""Time until the last of many equal VMs, restored at once, is copied.

    .. math:: T = \left\lfloor \frac{N}{m} \right\rfloor t(m) + t(N \bmod m), \qquad
        t(n) = \frac{1024\, S}{3600} \max\left(\frac{1}{r},\;
        \left\lceil \frac{n}{k} \right\rceil \frac{d}{C}\right), \qquad t(0) = 0

    Parameters
    ----------
    restored_gib : data of each disk, :math:`S`
    vault_servers : VMs that the vault restores at a time, :math:`m`
        The others stand in line.

    Returns
    -------
    without VM creation.

    See Also
    --------
    vmbmodel.formulas.sharing.completion_h : disks of any size.
    vmbmodel.formulas.line.line_wait_h : VMs of any time in line.

    Notes
    -----
    Exact where the accounts do not limit, where all VMs are copied together, and
    where each account has the same number of those that are. Elsewhere an account
    with a VM less is done sooner, and the next VMs mix with those of the others: of
    events in 3 000 cases of up to 60 VMs, the last was copied between 45 % sooner and
    6 % later. How many VMs a vault restores at a time is not documented.

    References
    ----------
    Bertsekas and Gallager (1992), sec. 6.5.2, :cite:`bertsekas1992`, for equal
    shares; the advice of one account for each VM is Microsoft's (2019), "Restore
    considerations", :cite:`article2019`.

    Examples
    --------
    A hundred VMs with two disks of 100 GiB, ten at a time, in one account that
    takes 286 MiB/s, ten disks' worth, and in ten of them:

    >>> print(batch_restore_h(100, 2, 100, 28.6, [1, 10], 286, vault_servers=10))
    [19.89 9.946]
    """
    together = np.minimum(vault_servers, restore_vms)
    rounds, rest = np.divmod(restore_vms, together)

    def round_h(vms):
        crowd = np.ceil(vms / restore_accounts) * restore_disks
        rate_mib_s = np.minimum(cap_mib_s, capacity_mib_s / crowd)
        copy_h = restored_gib / rate_mib_s * 1024 / 3600
        return np.where((vms > 0) & (restored_gib > 0), copy_h, 0)

    return rounds * round_h(together) + round_h(rest)


@formula
def worst_point_age_h(interval_h, backup_h):
    r"""Most work that can be lost with only the vault to restore from.

    .. math:: A = I + B

    Notes
    -----
    A point holds the state of its snapshot, taken when the backup starts, and
    can be restored from the vault once the transfer is done: just before that,
    the newest one is an interval and a backup old. With the snapshot still
    there, the age is the interval alone.

    References
    ----------
    Microsoft (2018), "Backup process", :cite:`article2018`.

    Examples
    --------
    >>> print(worst_point_age_h(interval_h=24, backup_h=3))
    27.0
    """
    return interval_h + backup_h


@formula
def mean_point_age_h(interval_h, backup_h):
    r"""Work that is lost on average with only the vault to restore from.

    .. math:: \bar A = \frac{I}{2} + B

    Parameters
    ----------
    backup_h : mean time from a backup's start to its point in the vault, :math:`B`

    Notes
    -----
    Exact for a loss at any hour alike, and points that reach the vault in the
    order of their snapshots.

    References
    ----------
    Microsoft (2018), "Backup process", :cite:`article2018`; the age of a renewal
    process as in Cox (1962), ch. 5, :cite:`cox1962`.

    Examples
    --------
    >>> print(mean_point_age_h(interval_h=24, backup_h=3))
    15.0
    """
    return interval_h / 2 + backup_h
